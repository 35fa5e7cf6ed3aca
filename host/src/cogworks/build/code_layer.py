"""Layers of the project itself: its code, its weights, and what the builder says about it, all below `/src`.

What a layer's key says was in a file is checked again while the file is packed, so an edit in the middle of a build can
never be cached under the wrong key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.codecs import BLOCK_BYTES, packed_ratio
from cogworks.build.context import Context, SourceFile
from cogworks.build.errors import ContextError
from cogworks.build.file_hash import identity_of
from cogworks.build.layer_key import layer_key
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.stored_layer import FileContent, changed, read_file, stored_archive
from cogworks.oci.layer import Codec
from cogworks.oci.tar import Directory, File, Symlink

SRC = "src"
METADATA = "src/.cog"
SCHEMA_NAME = "openapi_schema.json"
"""Where the server looks for the OpenAPI document, below `/src/.cog`."""
PROBE_BYTES = 8 * 1024 * 1024
"""How much of a file of weights is packed to see whether packing is worth it."""
WORTH_PACKING = 0.9
"""Weights that keep more than this share of their size are stored as they are: reading them is faster."""
_HASH_THREADS = 4
WORTH_THREADS_BYTES = 8 * 1024 * 1024
"""Less than this is hashed before the threads are there."""


def code_layer(
    cache: Cache, context: Context, codec: Codec, hashes: Mapping[str, str] | None = None
) -> CachedLayer:
    """Return the layer of the project's files without its weights.

    Args:
        hashes: path -> sha256 of each file, where they are known; they are checked while the layer is packed.
    """
    hashes = hash_files(context, context.code) if hashes is None else hashes
    listed = [f"{one.path}\0{hashes[one.path]}\0{one.is_executable}" for one in context.code]
    linked = [f"{path}\0{target}" for path, target in context.links]
    key = layer_key("code", SRC, listed, context.folders, linked)

    def make(path: Path) -> Summary:
        members: list[Member] = [(Directory(SRC), ())]
        members += [(Directory(f"{SRC}/{folder}"), ()) for folder in context.folders]
        members += [(Symlink(f"{SRC}/{link}", target), ()) for link, target in context.links]
        members += [_member(context, one, hashes[one.path]) for one in context.code]
        return write_layer(with_parents(members), codec, path)

    return cache.layer(key, codec, make, "code")


def weights_layer(
    cache: Cache, context: Context, files: Sequence[SourceFile], codec: Codec
) -> CachedLayer:
    """Return the layer of some files of weights: packed only where that makes them smaller, else left where they are."""
    try:
        members = with_parents([_weights_member(context, one) for one in files])
        if not _is_worth_packing(context, files):
            is_known = cache.is_reused and not cache.is_verified
            archive, is_new = stored_archive(members, cache.hashes, is_known=is_known)
            return cache.layer_in_place(archive, is_new=is_new)
        hashes = {one.path: cache.hashes.sha256(context.directory / one.path) for one in files}
    except OSError as error:
        raise ContextError(f"{error.filename} cannot be read: {error.strerror}.") from error
    listed = [f"{one.path}\0{hashes[one.path]}\0{one.is_executable}" for one in files]
    key = layer_key("weights", SRC, sorted(listed))
    title = ", ".join(sorted(one.path for one in files))
    make = partial(write_layer, members, codec)
    return cache.layer(key, codec, make, f"weights: {title}", is_shared=True)


def metadata_layer(cache: Cache, files: Mapping[str, bytes], codec: Codec) -> CachedLayer:
    """Return the layer of files below `/src/.cog`, such as `openapi_schema.json`."""
    listed = [f"{name}\0{hashlib.sha256(files[name]).hexdigest()}" for name in sorted(files)]
    key = layer_key("metadata", METADATA, listed)

    def make(path: Path) -> Summary:
        members: list[Member] = [
            (File(f"{METADATA}/{name}", len(data)), (data,)) for name, data in files.items()
        ]
        return write_layer(with_parents(members), codec, path)

    return cache.layer(key, codec, make, "metadata")


def _member(context: Context, one: SourceFile, sha256: str) -> Member:
    entry = File(f"{SRC}/{one.path}", one.size_bytes, one.is_executable)
    return entry, _Content(context.directory / one.path, one.size_bytes, sha256)


def _weights_member(context: Context, one: SourceFile) -> Member:
    path = context.directory / one.path
    identity = identity_of(path)
    if identity[0] != one.size_bytes:
        raise changed(path)
    entry = File(f"{SRC}/{one.path}", one.size_bytes, one.is_executable)
    return entry, FileContent(path, one.size_bytes, identity)


class _Content:
    """A file's content, which has to be what it was when the key was made."""

    def __init__(self, path: Path, size_bytes: int, sha256: str) -> None:
        self._path, self._size_bytes, self._sha256 = path, size_bytes, sha256

    def __iter__(self) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        for chunk in read_file(self._path, self._size_bytes):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        if size != self._size_bytes or digest.hexdigest() != self._sha256:
            raise changed(self._path)


def hash_files(context: Context, files: Iterable[SourceFile]) -> dict[str, str]:
    """Return path -> sha256 of some files of a project.

    Raises:
        ContextError: one cannot be read.
    """

    def of(one: SourceFile) -> tuple[str, str]:
        with (context.directory / one.path).open("rb") as file:
            return one.path, hashlib.file_digest(file, "sha256").hexdigest()

    listed = list(files)
    try:
        if sum(one.size_bytes for one in listed) < WORTH_THREADS_BYTES:
            return dict(map(of, listed))
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_HASH_THREADS) as pool:
            return dict(pool.map(of, listed))
    except OSError as error:
        raise ContextError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _is_worth_packing(context: Context, files: Sequence[SourceFile]) -> bool:
    """Probe the largest file: its beginning, which is the same wherever the layer is made."""
    largest = max(files, key=lambda one: (one.size_bytes, one.path))
    with (context.directory / largest.path).open("rb") as file:
        blocks = (file.read(BLOCK_BYTES) for _ in range(PROBE_BYTES // BLOCK_BYTES))
        return packed_ratio(blocks) <= WORTH_PACKING
