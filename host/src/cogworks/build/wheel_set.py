"""Several wheels in one layer: which file wins where two wheels bring the same path, and the layer itself."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast

from packaging.utils import parse_wheel_filename

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.errors import WheelError
from cogworks.build.layer_key import layer_key
from cogworks.build.licenses import License, license_from_json, read_license
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.wheel_archive import WheelArchive
from cogworks.build.wheel_layer import VENV, Installed, install
from cogworks.oci.digest import Digest
from cogworks.oci.errors import quoted
from cogworks.oci.layer import Codec

NO_BYTECODE = "no bytecode"
LICENSES = "licenses"
"""The name of the fact: the digest of a wheel -> its licence."""


class WheelSource(Protocol):
    """Brings wheels to where their path says."""

    def start(self, wheels: Sequence[WheelFile]) -> None:
        """Begin to bring some."""
        ...

    def bring(self, wheels: Sequence[WheelFile]) -> None:
        """Wait until some are there, whole and checked."""
        ...

    def close(self) -> None:
        """Give up what is still on its way."""
        ...


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A wheel whose content is of a digest; its file is there when its ``source`` has brought it, or has none."""

    name: str
    filename: str
    digest: Digest
    path: Path
    size_bytes: int
    source: WheelSource | None = field(default=None, compare=False, repr=False)

    @property
    def version(self) -> str:
        """The version of the package."""
        return str(parse_wheel_filename(self.filename)[1])


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a layer of wheels: its members, in no order, and the licence of each wheel."""

    members: Sequence[Member]
    licenses: Mapping[Digest, License]

    @property
    def facts(self) -> Mapping[str, object]:
        """What is noted about the layer: the licences, so that nobody needs the wheels to know them."""
        return {
            LICENSES: {digest.hex: one.to_json() for digest, one in sorted(self.licenses.items())}
        }


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
        with wheel_contents(cache, wheels, python, compiler) as contents:
            summary = write_layer(with_parents(contents.members), codec, path)
            return replace(summary, facts=contents.facts)

    title = ", ".join(sorted("-".join(one.filename.split("-", 2)[:2]) for one in wheels))
    return cache.layer(wheels_key(wheels, python, compiler), codec, make, title, is_shared=True)


@contextmanager
def wheel_contents(
    cache: Cache,
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    compiler: Compiler | None,
    prefix: str = VENV,
) -> Generator[Contents]:
    """Yield what is in a layer of wheels; the members can be read inside the `with` only.

    Raises:
        WheelError: a wheel is damaged or unsafe, or two exclude each other.
        BuildError: modules cannot be compiled.
    """
    bring(wheels)
    with ExitStack() as stack:
        ordered = sorted(wheels, key=lambda one: (one.name, one.filename))
        archives = [(one, _opened(stack, one)) for one in ordered]
        merged = merge(list(_installed(stack, cache, archives, python, compiler, prefix)))
        yield Contents(
            [file.member for file in merged.files],
            {one.digest: read_license(archive.metadata()) for one, archive in archives},
        )


def start(wheels: Sequence[WheelFile]) -> None:
    """Begin to bring wheels that are not here, in this order."""
    for source, some in _by_source(wheels):
        source.start(some)


def bring(wheels: Sequence[WheelFile]) -> None:
    """Wait until wheels are here.

    Raises:
        DownloadError: one cannot be fetched, or is not what the lock says.
    """
    for source, some in _by_source(wheels):
        source.bring(some)


@contextmanager
def coming(wheels: Sequence[WheelFile]) -> Generator[None]:
    """Give up at the end of the `with` whatever of some wheels is still on its way."""
    try:
        yield
    finally:
        give_up(wheels)


def give_up(wheels: Sequence[WheelFile]) -> None:
    """Stop whatever of some wheels is on its way; whoever waits for it gets an error."""
    for source, _ in _by_source(wheels):
        source.close()


def _by_source(wheels: Sequence[WheelFile]) -> list[tuple[WheelSource, list[WheelFile]]]:
    sources = {id(one.source): one.source for one in wheels if one.source is not None}
    return [
        (source, [one for one in wheels if one.source is source]) for source in sources.values()
    ]


def licenses_of(layers: Iterable[CachedLayer]) -> Mapping[Digest, License]:
    """Return the licences of all wheels in some layers, as they were noted when these were packed."""
    found: dict[Digest, License] = {}
    for layer in layers:
        noted = layer.facts.get(LICENSES)
        if isinstance(noted, dict):
            for name, value in cast("Mapping[str, object]", noted).items():
                found[Digest(name)] = license_from_json(value)
    return found


def find_conflicts(wheels: Sequence[WheelFile], python: tuple[int, int]) -> tuple[Conflict, ...]:
    """Return what wheels disagree about, over all layers; the last wheel wins. Those that are not here are passed over."""
    with ExitStack() as stack:
        here = [one for one in wheels if one.path.exists()]
        listed = [
            (one.filename, install(_opened(stack, one), python, None, Path())) for one in here
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
    archives: Sequence[tuple[WheelFile, WheelArchive]],
    python: tuple[int, int],
    compiler: Compiler | None,
    prefix: str,
) -> Iterator[tuple[str, list[Installed]]]:
    scratches = [stack.enter_context(cache.temporary()) for _ in archives]

    def installed(archive: WheelArchive, scratch: Path) -> list[Installed]:
        return install(archive, python, compiler, scratch, prefix)

    # Modules are compiled by processes, and each of these does one wheel: several at once have several cores.
    count = compiler.seats.count if compiler else 1
    with ThreadPoolExecutor(count) as pool:
        found = pool.map(installed, (archive for _, archive in archives), scratches)
        yield from ((one.filename, files) for (one, _), files in zip(archives, found, strict=True))


def _opened(stack: ExitStack, one: WheelFile) -> WheelArchive:
    return stack.enter_context(WheelArchive(one.path, one.filename))
