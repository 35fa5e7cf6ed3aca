"""What our commands write, recognised by what is in it: images and the cache are no part of a project.

They often lie in the project's folder: `cog build --output out/`, `cog debug -o context`, and a `COG_CACHE_DIR` where a CI
keeps it. Taken along, each build would hold the one before, and be another one each time.
"""

from __future__ import annotations

import os

from cogworks.engines.lease import FOLDER, GATE

LAYOUT_FILE, BLOBS = "oci-layout", "blobs/sha256"
CACHE_FILE = os.path.join(FOLDER, GATE)
"""What every cache has once it is used."""
DOCKERFILE, FREEZE_FILE = "Dockerfile", "pip_freeze.txt"
"""The second has a label of the image that no Dockerfile can spell: it has line breaks."""
FIRST_LINE = "# What `cog build` makes of this project, as a Dockerfile."
"""By which a context is known as one of ours."""
_BLOCK = 512


def is_product_folder(folder: str) -> bool:
    """Tell whether a folder is an OCI layout, a cache, or a context that Docker builds an image of."""
    if any(os.path.isfile(os.path.join(folder, one)) for one in (LAYOUT_FILE, CACHE_FILE)):
        return True
    return os.path.isfile(os.path.join(folder, FREEZE_FILE)) and is_docker_context(folder)


def is_docker_context(folder: str) -> bool:
    """Tell whether a folder has a Dockerfile of ours."""
    try:
        with open(os.path.join(folder, DOCKERFILE), encoding="utf-8") as file:
            return file.readline().rstrip("\n") == FIRST_LINE
    except (OSError, UnicodeDecodeError):
        return False


def is_product_name(name: str) -> bool:
    """Tell whether a file is worth a look by its name."""
    return name.endswith(".tar")


def is_product_file(path: str) -> bool:
    """Tell whether a file is an image as one archive, of ours or as `docker save` writes it now."""
    try:
        with open(path, "rb") as file:
            start = file.read(2 * _BLOCK)
    except OSError:
        return False
    names = [start[at : at + 100].rstrip(b"\0").decode("ascii", "replace") for at in (0, _BLOCK)]
    return names == ["blobs/", f"{BLOBS}/"]
