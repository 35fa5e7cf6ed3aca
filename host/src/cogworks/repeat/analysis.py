"""The analysis of the source, beside everything else: it takes as long as packing and sending the code.

A process is forked for it before much is loaded, so that the two load different things at the same time. On one core, and
where there is no fork, it is made when its result is wanted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from cogworks.repeat.files import identity_of, sha256_of
from cogworks.repeat.image import canonical

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from cogworks.repeat.files import Identity
    from cogworks.repeat.shape import SourceRecord

Answer = tuple[str, dict[str, str]]
"""The OpenAPI document, and the modules that it depends on: absolute path -> path in the project."""
_SHARED = ("dataclasses", "pathlib")
"""What both processes need: loaded before there are two."""


class Described:
    """What has to be known of a project, as ``schema.describe`` wants it."""

    def __init__(self, source: SourceRecord, directory: Path) -> None:
        self.directory = directory
        self.run, self.train = source["run"], source["train"]
        self.concurrency_max = source["concurrency_max"]


class Analysis:
    """`with Analysis(source) as analysis: ...; analysis.answer()`; at the end of the `with` nothing runs any more.

    Args:
        source: the project as it was recorded; its process is forked only if a module has changed since.
    """

    def __init__(self, source: SourceRecord) -> None:
        self._source = source
        self._pid = self._pipe = 0

    def __enter__(self) -> Self:
        if _has_changed(self._source) and _has_cores():
            for name in _SHARED:
                import_module(name)
            self._pipe, end = os.pipe()
            self._pid = os.fork()
            if self._pid == 0:
                _answer(self._source, end)
            os.close(end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def answer(self) -> Answer:
        """Return what the source comes to as it is now.

        Raises:
            CogworksError: the source is not as it has to be, which is known where it was read in this process.
        """
        if self._pid:
            with open(self._pipe, "rb", closefd=False) as file:
                data = file.read()
            if self._wait() == 0:
                document, modules = json.loads(data)
                return document, modules
        return _describe(self._source)

    def _wait(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        os.close(self._pipe)
        self._pid = 0
        return status


def _answer(source: SourceRecord, pipe: int) -> None:
    """Write the answer, and end."""
    code = 1
    # Whatever goes wrong here, the other process finds out by itself, and can tell.
    with suppress(BaseException):
        with open(pipe, "wb") as file:
            file.write(json.dumps(_describe(source)).encode())
        code = 0
    os._exit(code)


def _describe(source: SourceRecord) -> Answer:
    from pathlib import Path

    from cogworks.build.excluded_modules import imported_modules
    from cogworks.schema.description import describe

    document = describe(Described(source, Path(source["directory"])))
    modules = imported_modules(source["directory"], (source["run"], source["train"]))
    return canonical(document).decode(), modules


def _has_changed(source: SourceRecord) -> bool:
    """Tell whether a module is another one than it was; new ones are not looked for."""
    return any(
        _is_changed(os.path.join(source["directory"], path), known, sha256)
        for path, (known, sha256) in source["files"].items()
        if path.endswith(".py")
    )


def _is_changed(path: str, known: Identity | None, sha256: str) -> bool:
    return identity_of(path, follow=False) != known and sha256_of(path) != sha256


def _has_cores() -> bool:
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
