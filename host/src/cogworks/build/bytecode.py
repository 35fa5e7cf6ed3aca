"""Compile a wheel's modules with the Python that will run them, so that a container's first import is fast.

The same source gives the same bytes: modules in order, so many for one fresh process, hashes of texts fixed, and the path
that the file will have in the image. What cannot be compiled (templates) is left out; so are tests: of numpy and scipy, they
take twice as long as all the rest, and nobody imports them in production.
Source: PEP 552, "unchecked hash-based pycs".
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import BoundedSemaphore

from cogworks.build.errors import BuildError

FORMAT = 2
"""Part of every key: whoever changes what is compiled, or how, raises it."""
MODULES_MAX = 500
"""For one process. What is compiled before a module shows in its bytes, so this counts as the format does."""
COPY_BYTES = 1024 * 1024
TESTS = "tests"
"""A folder of modules that are not compiled."""
TIMEOUT_S = 900.0
"""For one process; it takes seconds."""

_PROGRAM = """
import importlib.util, json, sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
wheel, output, modules = json.load(sys.stdin)
offset, index = 0, {}
try:
    with zipfile.ZipFile(wheel) as archive, open(output, "xb") as file:
        for member, path in modules:
            source = archive.read(member)
            try:
                code = compile(source, path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
                continue
            data = _code_to_hash_pyc(code, importlib.util.source_hash(source), False)
            index[member] = [offset, file.write(data)]
            offset += len(data)
except OSError as error:
    json.dump({"errno": error.errno}, sys.stdout)
else:
    json.dump({"index": index}, sys.stdout)
"""


class Seats:
    """How many processes may run at once.

    Args:
        count: 0 stands for one for each core.
    """

    def __init__(self, count: int) -> None:
        self.count = count or os.cpu_count() or 1
        self.taken = BoundedSemaphore(self.count)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Python that compiles.

    Attributes:
        version: the full one (`3.12.1`), part of a layer's key.
        seats: processes of it that may run at once; each compiles one wheel.
    """

    python: Path
    version: str
    seats: Seats = field(default_factory=lambda: Seats(0), compare=False, repr=False)

    @property
    def tag(self) -> str:
        """The part of a compiled file's name: `cpython-312`."""
        major, minor = self.version.split(".")[:2]
        return f"cpython-{major}{minor}"

    @property
    def mode(self) -> str:
        """What a layer's key says about compiled files."""
        return f"unchecked-hash {FORMAT} {self.version}"

    def compile(self, wheel: Path, modules: Sequence[tuple[str, str]], output: Path) -> Compiled:
        """Compile members of a wheel into one new file.

        Args:
            modules: (member, the path that it will have in the image), in their order.

        Raises:
            BuildError: this Python cannot do it.
            OSError: the file cannot be written, as on a full disk.
        """
        parts = _parts(modules)
        paths = [output.with_name(f"{output.name}.{number}") for number in range(len(parts))]
        try:
            with ThreadPoolExecutor(min(self.seats.count, len(parts))) as pool:
                found = list(pool.map(partial(self._compile_part, wheel), parts, paths))
            return Compiled(output, _joined(found, output))
        finally:
            for path in paths:
                path.unlink(missing_ok=True)

    def _compile_part(
        self, wheel: Path, modules: Sequence[tuple[str, str]], output: Path
    ) -> Compiled:
        request = json.dumps([str(wheel), str(output), modules])
        try:
            with self.seats.taken:
                done = subprocess.run(
                    # Not -I: it would ignore the fixed hash seed.
                    [str(self.python), "-s", "-S", "-B", "-W", "ignore", "-c", _PROGRAM],
                    input=request,
                    cwd=output.parent,
                    env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=TIMEOUT_S,
                    check=True,
                )
            answer = json.loads(done.stdout)
        except subprocess.TimeoutExpired as error:
            raise BuildError(
                f"{wheel.name} cannot be compiled with {self.python}: it took more than {TIMEOUT_S:.0f} s."
            ) from error
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            told = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1:]
            raise BuildError(
                f"{wheel.name} cannot be compiled with {self.python}: {''.join(told)}"
            ) from error
        if "errno" in answer:
            number = answer["errno"] or errno.EIO
            raise OSError(number, os.strerror(number), str(output))
        return Compiled(output, {name: (at, size) for name, (at, size) in answer["index"].items()})


def is_worth_compiling(member: str) -> bool:
    """Tell whether a member of a wheel is a module that somebody may import."""
    *folders, name = member.split("/")
    return name.endswith(".py") and TESTS not in folders


def _parts(modules: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    """Return the modules in as few parts of about one size as each may be done by one process."""
    count = max(1, -(-len(modules) // MODULES_MAX))
    edges = [len(modules) * number // count for number in range(count + 1)]
    return [modules[start:end] for start, end in pairwise(edges)]


def _joined(parts: Sequence[Compiled], output: Path) -> dict[str, tuple[int, int]]:
    """Write the files of parts into one new file, and return where what is."""
    index: dict[str, tuple[int, int]] = {}
    with output.open("xb") as file:
        for part in parts:
            start = file.tell()
            index |= {name: (start + at, size) for name, (at, size) in part.index.items()}
            with part.path.open("rb") as source:
                shutil.copyfileobj(source, file, COPY_BYTES)
    return index


@dataclass(frozen=True, slots=True)
class Compiled:
    """The compiled modules of a wheel in one file: member -> (offset, size)."""

    path: Path
    index: Mapping[str, tuple[int, int]]

    def chunks(self, member: str) -> Iterator[bytes]:
        """Yield a compiled module."""
        offset, size = self.index[member]
        with self.path.open("rb") as file:
            file.seek(offset)
            yield file.read(size)
