"""Our own two distributions as wheels, made from what is installed, so that an image runs the code that built it.

It makes no difference whether they were installed from an index or from a source tree: no build tool runs, and nothing
is fetched. The same files give the same wheel: members are sorted, stored, and of one fixed time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.build.errors import BuildError
from cogworks.build.wheel_archive import record_hash
from cogworks.build.wheel_set import WheelFile
from cogworks.engines.lease import note_use
from cogworks.oci.digest import Digest

SDK, HOST = "cogworks-sdk", "cogworks"
PACKAGES = {SDK: "cog", HOST: "cogworks"}
"""Distribution -> the package in it."""
TAG = "py3-none-any"
_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest that a zip archive can say."""
_WHEEL = f"Wheel-Version: 1.0\nGenerator: cogworks\nRoot-Is-Purelib: true\nTag: {TAG}\n"


def own_wheel(name: str, cache: Cache) -> WheelFile:
    """Return the wheel of one of our distributions; it is written again when a file has changed.

    Raises:
        BuildError: the distribution is not installed.
    """
    found = _distribution(name)
    package = _package_folder(PACKAGES[name])
    files = dict(sorted(_files(str(package), "")))
    filename = f"{name.replace('-', '_')}-{found.version}-{TAG}.whl"
    metadata = dict(_metadata(found))
    path = cache.root / "own" / _key(package, files, metadata) / filename
    cache.lease.claim(path.parent)
    note_use(path)
    digest = _noted_digest(cache, path)
    if digest is None:
        contents = {f"{PACKAGES[name]}/{one}": (package / one).read_bytes() for one in files}
        info = filename.removesuffix(f"-{TAG}.whl") + ".dist-info"
        contents |= {f"{info}/{member}": data for member, data in metadata.items()}
        digest = _keep(cache, path, contents, f"{info}/RECORD")
    return WheelFile(name, filename, digest, path, path.stat().st_size)


def _keep(cache: Cache, path: Path, contents: dict[str, bytes], record: str) -> Digest:
    """Write a wheel, and beside it what its digest is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with cache.temporary() as temporary:
        _write(contents, record, temporary)
        digest = Digest(cache.hashes.sha256(temporary))
        temporary.replace(path)
    with cache.temporary() as temporary:
        temporary.write_text(digest.hex, encoding="ascii")
        temporary.replace(_note(path))
    return digest


def _noted_digest(cache: Cache, path: Path) -> Digest | None:
    """Return the digest of a wheel that is there and whole."""
    with suppress(OSError, UnicodeDecodeError):
        digest = Digest(cache.hashes.sha256(path))
        if _note(path).read_text(encoding="ascii") == digest.hex:
            return digest
    return None


def _note(path: Path) -> Path:
    return path.with_name("sha256")


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise BuildError(
            f"{name} is not installed beside this command; install Cogworks again."
        ) from error


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BuildError(f"the package {package} cannot be found; install Cogworks again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _files(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (path relative to the package, status) of its files; every build asks, so it has to be quick."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name == "__pycache__" or name.endswith(".pyc"):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, f"{prefix}{name}/")
            elif entry.is_file():
                yield prefix + name, entry.stat()


def _metadata(found: Distribution) -> Iterator[tuple[str, bytes]]:
    """Yield the metadata that a wheel has; an installer's own notes are left out."""
    yield "WHEEL", _WHEEL.encode()
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        text = found.read_text(name)
        if text:
            yield name, text.encode()


def _key(package: Path, files: Mapping[str, os.stat_result], metadata: dict[str, bytes]) -> str:
    """Tell versions apart by names, sizes and times, as build tools do: reading all is slower."""
    digest = hashlib.sha256(f"{package}\n".encode())
    for path, status in files.items():
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    for name in sorted(metadata):
        digest.update(f"{name}\0{len(metadata[name])}\n".encode() + metadata[name])
    return digest.hexdigest()[:16]


def _write(contents: dict[str, bytes], record: str, path: Path) -> None:
    lines = [f"{name},{record_hash(data)},{len(data)}\n" for name, data in sorted(contents.items())]
    listed = {**contents, record: "".join([*lines, f"{record},,\n"]).encode()}
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name in sorted(listed):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o100644 << 16
            # Otherwise the archive tells on which system it was made.
            entry.create_system = 3
            archive.writestr(entry, listed[name])
