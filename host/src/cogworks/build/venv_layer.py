"""The virtual environment itself at `/opt/venv`, without packages: its configuration and its link to the base's Python."""

from __future__ import annotations

import posixpath
from pathlib import Path

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.layer_key import layer_key
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.wheel_layer import VENV
from cogworks.oci.layer import Codec
from cogworks.oci.tar import Directory, File, Symlink


def venv_layer(
    cache: Cache, python: tuple[int, int], interpreter: str, codec: Codec
) -> CachedLayer:
    """Return the layer of an empty environment.

    Args:
        interpreter: the absolute path of the base's Python, such as `/usr/local/bin/python3.12`.
    """
    key = layer_key("venv", VENV, ".".join(map(str, python)), interpreter)

    def make(path: Path) -> Summary:
        return write_layer(with_parents(venv_members(python, interpreter)), codec, path)

    return cache.layer(key, codec, make, "environment")


def venv_members(python: tuple[int, int], interpreter: str, prefix: str = VENV) -> list[Member]:
    """Return what an empty environment consists of, in no order."""
    version = ".".join(map(str, python))
    configuration = (
        f"home = {posixpath.dirname(interpreter)}\n"
        "implementation = CPython\n"
        f"version_info = {version}\n"
        "include-system-site-packages = false\n"
    ).encode()
    names = ("python3", f"python{version}")
    return [
        (File(f"{prefix}/pyvenv.cfg", len(configuration)), (configuration,)),
        (Symlink(f"{prefix}/bin/python", interpreter), ()),
        *((Symlink(f"{prefix}/bin/{name}", "python"), ()) for name in names),
        (Directory(f"{prefix}/lib/python{version}/site-packages"), ()),
        (Symlink(f"{prefix}/lib64", "lib"), ()),
    ]
