"""The layer of a Python that an image brings along, below `/opt`; its modules are compiled where that Python runs here."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.layer_key import layer_key
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.standalone import StandalonePython, prefix_of
from cogworks.build.wheel_set import NO_BYTECODE
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File, Symlink

CHUNK_BYTES = 1024 * 1024


def interpreter_layer(
    cache: Cache, python: StandalonePython, codec: Codec, *, bytecode: bool = True
) -> CachedLayer:
    """Return the layer of a Python; it is packed unless the cache has it.

    Raises:
        BuildError: its modules cannot be compiled.
    """
    compiler = python.compiler if bytecode else None
    mode = compiler.mode if compiler else NO_BYTECODE
    key = layer_key("interpreter", prefix_of(python.minor), python.digest, mode)

    def make(path: Path) -> Summary:
        with cache.temporary() as modules, cache.temporary() as scratch:
            members = list(_members(python))
            if compiler is not None:
                members += _compiled(python, compiler, modules, scratch)
            return write_layer(with_parents(members), codec, path)

    return cache.layer(key, codec, make, f"Python {python.version}", is_shared=True)


def _members(python: StandalonePython) -> Iterator[Member]:
    """Yield files and links; folders without files are left out."""
    for path in python.folder.rglob("*"):
        name = f"{prefix_of(python.minor)}/{path.relative_to(python.folder).as_posix()}"
        if path.is_symlink():
            yield Symlink(name, os.readlink(path)), ()
        elif path.is_file():
            yield File(name, path.stat().st_size, os.access(path, os.X_OK)), _chunks(path)


def _compiled(
    python: StandalonePython, compiler: Compiler, modules: Path, scratch: Path
) -> Iterator[Member]:
    """Yield the compiled modules of the standard library and of what else the build has."""
    prefix = prefix_of(python.minor)
    sources = sorted(path.relative_to(python.folder) for path in python.folder.rglob("*.py"))
    names = [path.as_posix() for path in sources if path.parts[0] == "lib"]
    # The compiler reads archives, as wheels are.
    with zipfile.ZipFile(modules, "x", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), (python.folder / name).read_bytes())
    compiled = compiler.compile(modules, [(name, f"/{prefix}/{name}") for name in names], scratch)
    for name, (_, size) in compiled.index.items():
        folder, _, module = name.rpartition("/")
        file = f"{module.removesuffix('.py')}.{compiler.tag}.pyc"
        yield File(f"{prefix}/{folder}/__pycache__/{file}", size), compiled.chunks(name)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
