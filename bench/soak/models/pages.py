"""A synchronous model: files one after the other, one prediction at a time."""

import tempfile
import time
from collections.abc import Iterator

from cog import BaseRunner, Path, streaming


class Pages(BaseRunner):
    """Writes its tag and a number into files, ``steps`` times."""

    @streaming
    def run(
        self, tag: str, steps: int = 3, pause: float = 0.01, fail: bool = False
    ) -> Iterator[Path]:
        """Yield files that hold ``tag-0``, ``tag-1`` and so on, and fail after them where asked to."""
        for number in range(steps):
            time.sleep(pause)
            print(f"{tag} says {number}")
            with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as page:
                page.write(f"{tag}-{number}")
            yield Path(page.name)
        if fail:
            raise RuntimeError(f"{tag} was asked to fail")
