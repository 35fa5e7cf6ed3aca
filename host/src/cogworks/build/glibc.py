"""Which C library a base has, told from its configuration: nothing of it is unpacked.

Official images of Debian and Ubuntu, and all that are made from them, say in their history or labels which release they
are. What says nothing counts as Debian 12.
"""

from __future__ import annotations

import re

from cogworks.oci.image import ImageConfig

RELEASES = {
    "bullseye": (2, 31),
    "bookworm": (2, 36),
    "trixie": (2, 41),
    "16.04": (2, 23),
    "18.04": (2, 27),
    "20.04": (2, 31),
    "22.04": (2, 35),
    "24.04": (2, 39),
}
"""Releases of Debian by name and of Ubuntu by number, with the glibc that they came with."""

_UBUNTU = "org.opencontainers.image.version"
_ALPINE = re.compile(r"\balpine-minirootfs\b")


def find_glibc(config: ImageConfig, tag: str = "") -> tuple[int, int] | None:
    """Return the glibc of an image as (major, minor), if it says enough.

    Args:
        tag: that of its name, such as `3.12-slim-bookworm` or `12.4.1-cudnn-devel-ubuntu22.04`.
    """
    if config.run.labels.get("org.opencontainers.image.ref.name") == "ubuntu":
        return RELEASES.get(config.run.labels.get(_UBUNTU, ""))
    ubuntu = re.search(r"ubuntu(\d\d\.\d\d)", tag)
    if ubuntu is not None:
        return RELEASES.get(ubuntu[1])
    texts = [tag, *(entry.created_by for entry in config.history)]
    for text in texts:
        for word in re.findall(r"[a-z]+", text):
            if word in RELEASES:
                return RELEASES[word]
    return None


def is_alpine(config: ImageConfig) -> bool:
    """Tell whether an image says that it is Alpine, whose C library Python's usual wheels do not run on."""
    return any(_ALPINE.search(entry.created_by) for entry in config.history)
