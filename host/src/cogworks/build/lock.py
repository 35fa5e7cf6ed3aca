"""The exact wheels of an image, read from a `pylock.toml` (PEP 751) and chosen for the target."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from packaging.markers import UndefinedEnvironmentName
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockValidationError,
)
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from cogworks.build.errors import LockError, NoWheelError
from cogworks.build.target import Target
from cogworks.oci.digest import Digest
from cogworks.oci.errors import DigestError, quoted
from cogworks.project.requirements import OWN_PACKAGES

LOCK_MAX_BYTES = 64 * 1024 * 1024
"""More than this is no list of packages."""
File: TypeAlias = PackageWheel | PackageArchive | PackageSdist
_NEWEST_GLIBC_MINOR = 99
_SHOWN_TAGS = 4


@dataclass(frozen=True, slots=True)
class LockedWheel:
    """One file of the lock, a wheel or an archive of a source: at ``url``, or on this machine at ``path``.

    ``size_bytes`` is None where the index does not tell it.
    """

    name: str
    version: str
    filename: str
    digest: Digest
    size_bytes: int | None = None
    url: str | None = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class LockedSource:
    """A package without a wheel for the target, and the source that one can be built of.

    Attributes:
        title: name and version, for people.
        why: why there is no wheel: a sentence.
        archive: the file of the source; None for a commit of a repository, or a folder.
        repository, commit: the URL of a git repository, and what of it.
        folder: a folder of this machine; ``commit`` is then the digest of what is in it, once that was read.
        subdirectory: where in it the package is, if not at the top.
    """

    name: str
    title: str
    why: str
    archive: LockedWheel | None = None
    repository: str = field(default="", repr=False)
    commit: str = ""
    subdirectory: str = ""
    folder: Path | None = None

    def no_wheel(self, target: Target) -> NoWheelError:
        """Return the error that says that a wheel is missing."""
        return NoWheelError(self.title, str(target), self.why)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a target needs of a lock, both sorted by name; each package is in one of them."""

    wheels: tuple[LockedWheel, ...] = ()
    sources: tuple[LockedSource, ...] = ()


def read_lock(
    text: str, folder: Path, target: Target, pinned: Mapping[str, frozenset[str]] | None = None
) -> Lock:
    """Return what the target needs of a lock; our own packages are left out.

    Args:
        folder: what relative paths in the lock are relative to.
        pinned: package -> the sha256 that its author allows; others are not chosen.

    Raises:
        LockError: the text is no lock.
        NoWheelError: a package has no wheel for the target, and no source.
    """
    packages = sorted(
        (one for one in _packages(text) if _is_wanted(one, target)), key=lambda one: one.name
    )
    chosen = [
        _choose(one, folder, target, (pinned or {}).get(one.name, frozenset())) for one in packages
    ]
    return Lock(
        tuple(one for one in chosen if isinstance(one, LockedWheel)),
        tuple(one for one in chosen if isinstance(one, LockedSource)),
    )


def _packages(text: str) -> Sequence[Package]:
    if len(text) > LOCK_MAX_BYTES:
        raise LockError(f"The lock is larger than {LOCK_MAX_BYTES} bytes.")
    try:
        return Pylock.from_dict(tomllib.loads(text)).packages
    except (tomllib.TOMLDecodeError, PylockValidationError) as error:
        raise LockError(
            f"The lock is not a pylock.toml: {error}. Remove it, and build again."
        ) from error


def _is_wanted(package: Package, target: Target) -> bool:
    if package.name in OWN_PACKAGES:
        return False
    if package.marker is None:
        return True
    try:
        environment: dict[str, str | frozenset[str]] = {
            **target.marker_environment,
            "extras": frozenset(),
            "dependency_groups": frozenset(),
        }
        return package.marker.evaluate(environment, context="lock_file")
    except UndefinedEnvironmentName as error:
        raise LockError(f"The marker of {package.name} cannot be evaluated: {error}.") from error


def _choose(
    package: Package, folder: Path, target: Target, allowed: frozenset[str]
) -> LockedWheel | LockedSource:
    ranks = {tag: rank for rank, tag in enumerate(target.tags)}
    offered = list(_offered(package, folder))
    trusted = [one for one in offered if not allowed or one.digest.hex in allowed]
    fitting = [(rank, one) for one in trusted if (rank := _rank(one.filename, ranks)) is not None]
    if fitting:
        return min(fitting, key=lambda pair: (pair[0], pair[1].filename))[1]
    if _fits_any(offered, ranks):
        reason = "none that is for it has a hash that the requirements allow."
    else:
        reason = _why_not(package, offered, target)
        source = _source(package, folder, allowed, reason)
        if source is not None:
            return source
    raise NoWheelError(_title(package), str(target), reason)


def _source(
    package: Package, folder: Path, allowed: frozenset[str], reason: str
) -> LockedSource | None:
    """Return the source of a package, unless its author allows other hashes only."""
    title = _title(package)
    if package.vcs is not None:
        vcs = package.vcs
        where = vcs.url or str(folder / str(vcs.path))
        found = LockedSource(package.name, title, reason, repository=where, commit=vcs.commit_id)
        return replace(found, subdirectory=vcs.subdirectory or "") if vcs.type == "git" else None
    if package.directory is not None:
        place = (folder / package.directory.path).resolve()
        inside = package.directory.subdirectory or ""
        return LockedSource(package.name, title, reason, folder=place, subdirectory=inside)
    origin = package.sdist or package.archive
    if origin is None:
        return None
    archive = _located(package, _filename(origin), origin, folder)
    if allowed and archive.digest.hex not in allowed:
        return None
    subdirectory = getattr(origin, "subdirectory", None) or ""
    return LockedSource(package.name, title, reason, archive, subdirectory=subdirectory)


def _offered(package: Package, folder: Path) -> Iterator[LockedWheel]:
    """Yield the wheels of a package; one that is named by URL or path is its only one."""
    sources: Iterable[PackageWheel | PackageArchive] = package.wheels or ()
    if package.archive is not None:
        sources = [package.archive]
    for source in sources:
        name = _filename(source)
        if name.endswith(".whl"):
            yield _located(package, name, source, folder)


def _filename(source: File) -> str:
    location = source.url or source.path or ""
    name = getattr(source, "name", None) or unquote(urlsplit(location).path).rpartition("/")[2]
    return str(name)


def _located(package: Package, filename: str, source: File, folder: Path) -> LockedWheel:
    try:
        digest = Digest(source.hashes["sha256"])
    except (KeyError, DigestError) as error:
        raise LockError(f"The lock has no sha256 of {quoted(filename)}.") from error
    is_wheel = filename.endswith(".whl")
    given = str(package.version) if package.version else ""
    version = given or (_version_of(filename) if is_wheel else "")
    wheel = LockedWheel(package.name, version, filename, digest, source.size)
    parts = urlsplit(source.url or "")
    if parts.scheme == "file":
        return replace(wheel, path=Path(unquote(parts.path)))
    if source.url:
        return replace(wheel, url=source.url)
    return replace(wheel, path=folder / str(source.path))


def _version_of(filename: str) -> str:
    return str(parse_wheel_filename(filename)[1])


def _rank(filename: str, ranks: Mapping[Tag, int]) -> tuple[int, int] | None:
    """Return how well a wheel fits, less being better; None if it does not run there."""
    try:
        _, _, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    found = [ranks[tag] for tag in tags if tag in ranks]
    return (min(found), -build[0] if build else 0) if found else None


def _fits_any(wheels: Sequence[LockedWheel], ranks: Mapping[Tag, int]) -> bool:
    return any(_rank(one.filename, ranks) is not None for one in wheels)


def _title(package: Package) -> str:
    return f"{package.name} {package.version}" if package.version else package.name


def _why_not(package: Package, wheels: Sequence[LockedWheel], target: Target) -> str:
    if not wheels:
        return (
            "it comes as source only, and would have to be built. "
            "Build a wheel of it and name that in the requirements, or choose another version."
        )
    needed = _needed_glibc(wheels, target)
    if needed is not None:
        here = ".".join(map(str, target.glibc))
        return (
            f"its wheels need glibc 2.{needed}, and the base image has {here}. "
            "Use a newer base image, or an older version of the package."
        )
    names = sorted({one.filename.removesuffix(".whl").split("-", 2)[2] for one in wheels})
    more = f" and {len(names) - _SHOWN_TAGS} more" if len(names) > _SHOWN_TAGS else ""
    return (
        f"there are wheels for {', '.join(names[:_SHOWN_TAGS])}{more}. "
        "Choose another version of the package or of Python, or build a wheel of it."
    )


def _needed_glibc(wheels: Sequence[LockedWheel], target: Target) -> int | None:
    """Return the minor number of the glibc that would do, if only the glibc is too old."""
    for minor in range(target.glibc[1] + 1, _NEWEST_GLIBC_MINOR):
        newer = Target(target.python, target.platform, (2, minor))
        # Only what the newer one adds can make the difference.
        names = (f"manylinux_2_{minor}_",)
        ranks = {tag: 0 for tag in newer.tags if tag.platform.startswith(names)}
        if _fits_any(wheels, ranks):
            return minor
    return None


def pinned_hashes(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return package -> sha256 of the requirement lines that have `--hash` options."""
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        requirement, *options = line.split("--hash")
        hashes = {one.strip(" =\t").removeprefix("sha256:").split()[0] for one in options}
        name = requirement.strip().split(";")[0]
        for mark in "=<>!~[ @":
            name = name.split(mark)[0]
        if hashes:
            key = canonicalize_name(name)
            found[key] = found.get(key, frozenset()) | hashes
    return found
