"""An asynchronous model: words after pauses, several predictions at once."""

import asyncio

from cog import AsyncConcatenateIterator, BaseRunner, concurrent, streaming


class Tokens(BaseRunner):
    """Says its tag and a number, ``steps`` times."""

    @streaming
    @concurrent(max=4)
    async def run(
        self, tag: str, steps: int = 3, pause: float = 0.01, fail: bool = False
    ) -> AsyncConcatenateIterator[str]:
        """Yield ``tag-0``, ``tag-1`` and so on, print each, and fail after them where asked to."""
        for number in range(steps):
            await asyncio.sleep(pause)
            print(f"{tag} says {number}")
            yield f"{tag}-{number}"
        if fail:
            raise RuntimeError(f"{tag} was asked to fail")
