"""A program that unpacks a layer into a folder, the way overlayfs wants it; started by `sandbox.py`, as root on Linux.

The folder is its root by then, so no name and no link in the layer leads out of it. Removed files become devices 0/0, and folders
that hide what lies below get an attribute. Source: overlayfs in the kernel's documentation.
"""

from __future__ import annotations

import os
import stat
import sys
import tarfile
from pathlib import Path

from cogworks.build.stages.diff import OPAQUE, WHITEOUT
from cogworks.build.stages.unpacked import opened
from cogworks.oci.tar import CAPABILITY

OPAQUE_ATTRIBUTE = "trusted.overlay.opaque"
CAPABILITY_ATTRIBUTE = "security.capability"


def main(layer: str, folder: str) -> None:
    """Unpack a layer into an empty folder."""
    os.umask(0)
    with opened(Path(layer)) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
        # Everything is imported by now: nothing of this machine can be found from here on.
        os.chroot(folder)
        os.chdir("/")
        for info in archive:
            _extract(archive, info)


def _extract(archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
    name = info.name.removeprefix("./").strip("/")
    folder, _, last = name.rpartition("/")
    if name in ("", "."):
        return
    if folder:
        os.makedirs(f"/{folder}", 0o755, exist_ok=True)
    if last == OPAQUE:
        os.setxattr(f"/{folder}", OPAQUE_ATTRIBUTE, b"y")
        return
    if last.startswith(WHITEOUT):
        gone = f"/{folder}/{last[len(WHITEOUT) :]}"
        if not os.path.lexists(gone):
            os.mknod(gone, stat.S_IFCHR, os.makedev(0, 0))
        return
    if info.ischr() or info.isblk() or info.isfifo():
        return
    path = f"/{name}"
    if os.path.lexists(path) and not (info.isdir() and not os.path.islink(path)):
        os.unlink(path)
    archive.extract(info, "/", numeric_owner=True, filter="fully_trusted")
    capability = info.pax_headers.get(CAPABILITY)
    if capability is not None:
        os.setxattr(path, CAPABILITY_ATTRIBUTE, capability.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
