"""An image as an OCI layout: a directory, or the same as one tar archive.

    oci-layout                  the version of the layout
    index.json                  which manifest, under which name
    blobs/sha256/<hex>          manifest, configuration and layers

The same image gives the same bytes. Source: OCI image-spec v1.1, "Image Layout".
"""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cogworks.build.errors import BuildError
from cogworks.build.packer import Member, with_parents
from cogworks.build.products import BLOBS, LAYOUT_FILE
from cogworks.oci.digest import Digest
from cogworks.oci.documents import canonical_json
from cogworks.oci.manifest import Descriptor, Index, Manifest, descriptor_of
from cogworks.oci.platform import Platform
from cogworks.oci.tar import File, archive
from cogworks.registry.artifact import Artifact
from cogworks.registry.blobs import Blob, BytesBlob

if sys.platform != "win32":
    import fcntl

INDEX_FILE, TAR = "index.json", ".tar"
_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")
LAYOUT = canonical_json({"imageLayoutVersion": "1.0.0"})
REF_NAME = "org.opencontainers.image.ref.name"


def check_place(path: Path) -> None:
    """Find out whether a layout could be written there, before anything is made that goes there.

    Raises:
        BuildError: it could not; the message says what to name instead.
    """
    if str(path) == "-":
        raise BuildError("An image is not written to standard output. Name a file or a folder.")
    if path.name.endswith(_PACKED):
        raise BuildError(
            f"{path}: layers are packed already, so an image is one .tar file, or a folder."
        )
    if path.suffix == TAR:
        if path.is_dir():
            raise BuildError(f"{path} is a folder, and is to be a file. Name another one.")
    else:
        _check_free(path)
    check_above(path)


def check_above(path: Path) -> None:
    """Find out whether something new could be written at a path.

    Raises:
        BuildError: the folder that it would be in cannot be made or written.
    """
    above = next(one for one in path.absolute().parents if one.exists())
    if not above.is_dir():
        raise BuildError(f"{path} cannot be written: {above} is not a folder.")
    if not os.access(above, os.W_OK):
        raise BuildError(f"{path} cannot be written: {above} is read-only for this user.")


def write_layout(
    path: Path,
    manifest: Manifest,
    platform: Platform,
    blobs: Mapping[Digest, Blob],
    name: str = "",
    artifacts: Sequence[Artifact] = (),
) -> None:
    """Write a layout as one archive if the path ends in `.tar`, else into a folder; arguments and errors as below."""
    check_place(path)
    write = write_tar if path.suffix == TAR else write_directory
    write(path, manifest, platform, blobs, name, artifacts)


def write_directory(
    folder: Path,
    manifest: Manifest,
    platform: Platform,
    blobs: Mapping[Digest, Blob],
    name: str = "",
    artifacts: Sequence[Artifact] = (),
) -> None:
    """Write a layout into a folder that is new, empty, or a layout already; blobs that it has stay.

    Args:
        blobs: every blob of the manifest.
        name: what the index calls the image, such as its tag.
        artifacts: what belongs to the image. It is among the blobs and not in the index: of an index with two entries,
            podman and skopeo want to be told which one.

    Raises:
        BuildError: the folder holds something else, or cannot be written.
        RegistryError: a layer of the base cannot be fetched.
    """
    _check_free(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # First, so that what is written of it belongs to a layout also if the rest fails.
        _write(folder / LAYOUT_FILE, [LAYOUT])
        (folder / BLOBS).mkdir(parents=True, exist_ok=True)
        _remove_orphans(folder / BLOBS, "*")
        for digest, blob in _all_blobs(manifest, blobs, artifacts).items():
            path = folder / BLOBS / digest.hex
            if not _has(path, digest):
                _write(path, _checked(blob))
        # Last, so that a layout never names what is not there.
        _write(folder / INDEX_FILE, [_index(manifest, platform, _named(name))])
    except OSError as error:
        raise _unwritten(folder, error) from error


def write_tar(
    path: Path,
    manifest: Manifest,
    platform: Platform,
    blobs: Mapping[Digest, Blob],
    name: str = "",
    artifacts: Sequence[Artifact] = (),
) -> None:
    """Write a layout as one tar archive, which appears when it is whole; arguments as above.

    Raises:
        BuildError: the file cannot be written.
        RegistryError: a layer of the base cannot be fetched.
    """
    members = layout_members(manifest, platform, blobs, _named(name), artifacts=artifacts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_orphans(path.parent, glob.escape(path.name))
        _write(path, archive(with_parents(members)))
    except OSError as error:
        raise _unwritten(path, error) from error


def layout_members(
    manifest: Manifest,
    platform: Platform,
    blobs: Mapping[Digest, Blob],
    annotations: Mapping[str, str],
    left_out: Collection[Digest] = (),
    artifacts: Sequence[Artifact] = (),
) -> list[Member]:
    """Return the files of a layout; blobs are opened when their turn comes.

    Args:
        annotations: of the image in the index, such as its name.
        left_out: blobs that whoever reads it has already.
    """
    index = _index(manifest, platform, annotations)
    members: list[Member] = [
        (File(f"{BLOBS}/{digest.hex}", blob.size_bytes), _Content(blob))
        for digest, blob in _all_blobs(manifest, blobs, artifacts).items()
        if digest not in left_out
    ]
    members.append((File(INDEX_FILE, len(index)), (index,)))
    members.append((File(LAYOUT_FILE, len(LAYOUT)), (LAYOUT,)))
    return members


class _Content:
    """A blob's bytes, opened when their turn comes."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob

    def __iter__(self) -> Iterator[bytes]:
        return _checked(self._blob)


def _all_blobs(
    manifest: Manifest, blobs: Mapping[Digest, Blob], artifacts: Sequence[Artifact]
) -> dict[Digest, Blob]:
    """Return the blobs of an image and what belongs to it, and the manifests, sorted by digest."""
    listed: dict[Digest, Blob] = {one.digest: blobs[one.digest] for one in manifest.blobs}
    listed |= {blob.digest: blob for one in artifacts for blob in one.blobs}
    for document in (manifest, *(one.manifest for one in artifacts)):
        listed[document.digest] = BytesBlob(document.to_bytes())
    return dict(sorted(listed.items()))


def _named(name: str) -> dict[str, str]:
    return {REF_NAME: name} if name else {}


def _index(manifest: Manifest, platform: Platform, annotations: Mapping[str, str]) -> bytes:
    found = descriptor_of(manifest, platform)
    entry = Descriptor(
        found.media_type, found.digest, found.size_bytes, annotations, platform=platform
    )
    return Index((entry,)).to_bytes()


def _checked(blob: Blob) -> Iterator[bytes]:
    """Yield a blob's bytes; at the end they have to be what its name says."""
    digest = hashlib.sha256()
    for block in blob.open():
        digest.update(block)
        yield block
    if digest.hexdigest() != blob.digest.hex:
        raise BuildError(
            f"the blob {blob.digest.short} is not what its name says; it changed meanwhile. Build again."
        )


def _has(path: Path, digest: Digest) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest.hex
    except FileNotFoundError:
        return False


def _check_free(folder: Path) -> None:
    if folder.exists() and not _is_free(folder):
        raise BuildError(
            f"{folder} is neither empty nor an OCI layout; nothing was written. Name another folder."
        )


def _is_free(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return (folder / LAYOUT_FILE).is_file() or not any(folder.iterdir())


def _write(path: Path, chunks: Iterator[bytes] | list[bytes]) -> None:
    """Write a file that gets its name when it is whole."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("xb") as file:
            _is_ours(file.fileno())
            for chunk in chunks:
                file.write(chunk)
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _remove_orphans(folder: Path, name: str) -> None:
    """Remove what builds that were killed have left unfinished; whoever writes still has a lock on it."""
    for path in folder.glob(f".{name}.*.part"):
        with suppress(OSError), path.open("rb") as file:
            if _is_ours(file.fileno()):
                path.unlink()


def _is_ours(descriptor: int) -> bool:
    """Lock a file, if nobody else has; the system gives up the locks of a process that dies."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _unwritten(path: Path, error: OSError) -> BuildError:
    return BuildError(f"{path} cannot be written: {error.strerror or error}.")
