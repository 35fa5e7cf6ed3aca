"""Several wheels in one layer: which file wins where two wheels bring the same path, and the layer itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.errors import WheelError
from cogworks.build.layer_key import layer_key
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.wheel_archive import WheelArchive
from cogworks.build.wheel_layer import VENV, Installed, install
from cogworks.oci.digest import Digest
from cogworks.oci.errors import quoted
from cogworks.oci.layer import Codec

NO_BYTECODE = "no bytecode"


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A wheel on disk, whose content is known to be of the digest."""

    name: str
    filename: str
    digest: Digest
    path: Path


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two wheels bring different files of one path; the winner comes later in the order of names, or lies above."""

    path: str
    loser: str
    winner: str

    def __str__(self) -> str:
        return (
            f"/{self.path} is in {self.loser} and in {self.winner}; that of {self.winner} is used."
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """The files of several wheels, each path once."""

    files: tuple[Installed, ...]
    conflicts: tuple[Conflict, ...]


def wheels_key(
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    compiler: Compiler | None,
    prefix: str = VENV,
) -> str:
    """Return the key of a layer of wheels; their order does not count."""
    mode = compiler.mode if compiler else NO_BYTECODE
    version = ".".join(map(str, python))
    return layer_key("wheels", prefix, version, mode, sorted(one.digest.hex for one in wheels))


def wheels_layer(
    cache: Cache,
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    compiler: Compiler | None,
    codec: Codec,
) -> CachedLayer:
    """Return the layer of some wheels; it is packed unless the cache has it.

    Raises:
        WheelError: a wheel is damaged or unsafe, or two exclude each other.
        BuildError: modules cannot be compiled.
    """

    def make(path: Path) -> Summary:
        with wheel_members(cache, wheels, python, compiler) as members:
            return write_layer(with_parents(members), codec, path)

    title = ", ".join(sorted("-".join(one.filename.split("-", 2)[:2]) for one in wheels))
    return cache.layer(wheels_key(wheels, python, compiler), codec, make, title)


@contextmanager
def wheel_members(
    cache: Cache,
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    compiler: Compiler | None,
    prefix: str = VENV,
) -> Generator[list[Member]]:
    """Yield the members of a layer of wheels, in no order; their contents can be read inside the `with` only.

    Raises:
        WheelError: a wheel is damaged or unsafe, or two exclude each other.
        BuildError: modules cannot be compiled.
    """
    with ExitStack() as stack:
        merged = merge(list(_installed(stack, cache, wheels, python, compiler, prefix)))
        yield [file.member for file in merged.files]


def find_conflicts(wheels: Sequence[WheelFile], python: tuple[int, int]) -> tuple[Conflict, ...]:
    """Return what wheels disagree about, over all layers; the last wheel wins."""
    with ExitStack() as stack:
        listed = [
            (one.filename, install(_opened(stack, one), python, None, Path())) for one in wheels
        ]
        return merge(listed).conflicts


def merge(wheels: Sequence[tuple[str, Sequence[Installed]]]) -> Merged:
    """Return the files of (file name, files) in which later wheels win.

    Raises:
        WheelError: a path is a file in one wheel and a folder in another.
    """
    found: dict[str, tuple[str, Installed]] = {}
    conflicts: list[Conflict] = []
    for name, files in wheels:
        for file in files:
            before = found.get(file.path)
            if before is not None and before[1].identity != file.identity:
                conflicts.append(Conflict(file.path, before[0], name))
            found[file.path] = (name, file)
    for path, (name, _) in found.items():
        _check_folders(path, name, found)
    ordered = sorted(conflicts, key=lambda one: (one.path, one.winner))
    return Merged(tuple(file for _, file in found.values()), tuple(ordered))


def _check_folders(path: str, name: str, found: dict[str, tuple[str, Installed]]) -> None:
    end = path.rfind("/")
    while end > 0:
        other = found.get(path[:end])
        if other is not None:
            raise WheelError(
                name, f"{quoted(path[:end])} is a folder here and a file in {other[0]}"
            )
        end = path.rfind("/", 0, end)


def _installed(
    stack: ExitStack,
    cache: Cache,
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    compiler: Compiler | None,
    prefix: str,
) -> Iterator[tuple[str, list[Installed]]]:
    for one in sorted(wheels, key=lambda one: (one.name, one.filename)):
        scratch = stack.enter_context(cache.temporary())
        yield one.filename, install(_opened(stack, one), python, compiler, scratch, prefix)


def _opened(stack: ExitStack, one: WheelFile) -> WheelArchive:
    return stack.enter_context(WheelArchive(one.path, one.filename))
