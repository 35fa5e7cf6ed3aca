"""What commands wrote into the upper folder of an overlay, as a layer: a tar file with whiteouts.

Source: overlayfs in the kernel's documentation; OCI image-spec v1.1, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cogworks.build.stages.diff import OPAQUE, WHITEOUT
from cogworks.build.stages.sandbox_root import CAPABILITY_ATTRIBUTE, OPAQUE_ATTRIBUTE
from cogworks.oci.tar import CAPABILITY


def pack_upper(upper: Path, target: Path) -> None:
    """Write the changes as a tar file, to a new one; the names of one file stay links."""
    with tarfile.open(target, "x", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for path in _walk(upper, ""):
            _add(archive, upper, path)


def _walk(upper: Path, prefix: str) -> Iterator[str]:
    """Yield the paths of everything, parents first."""
    with os.scandir(upper / prefix if prefix else upper) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = f"{prefix}{entry.name}"
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(upper, f"{path}/")


def _add(archive: tarfile.TarFile, upper: Path, path: str) -> None:
    place = upper / path
    status = place.lstat()
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        folder, slash, last = path.rpartition("/")
        archive.addfile(tarfile.TarInfo(f"{folder}{slash}{WHITEOUT}{last}"))
        return
    if stat.S_ISSOCK(status.st_mode):
        return
    # tarfile knows links by their inode.
    info = archive.gettarinfo(place, path)
    info.uname = info.gname = ""
    capability = _attribute(place, CAPABILITY_ATTRIBUTE)
    if capability and info.isreg():
        info.pax_headers = {CAPABILITY: capability.decode("utf-8", "surrogateescape")}
    if info.isreg():
        with place.open("rb") as file:
            archive.addfile(info, file)
        return
    archive.addfile(info)
    if info.isdir() and _attribute(place, OPAQUE_ATTRIBUTE) == b"y":
        archive.addfile(tarfile.TarInfo(f"{path}/{OPAQUE}"))


def _attribute(path: Path, name: str) -> bytes:
    with suppress(OSError):
        return os.getxattr(path, name, follow_symlinks=False)
    return b""
