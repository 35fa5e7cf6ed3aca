"""Layers and downloads on disk, shared by builds that run at the same time.

    oci/blobs/sha256/<hex>        packed layers and other content, named by digest
    oci/wheels/sha256/<hex>       wheels, named by digest
    oci/wheels/names/<hex>        the file name of a wheel, and its size, in two lines
    oci/built/<key>.json          which wheel was built of a source
    oci/keys/<layer key>.json     title, facts about the content, diff_id, and for each codec: digest and size
    oci/filehash/<name>.json      what a file's digest was when it had this size, time and inode
    oci/interpreters/             Pythons that images bring along; `standalone.py` draws what is in there
    oci/calls/<key>.json          what calls of the command have come to (`cogworks.repeat`)
    oci/locks/<name>.lock         held while something of that name is made
    oci/tmp/<lease>-<random>      what is being written by whoever has the lease; if nobody has it, it belongs to nobody

A file gets its name only when it is complete, so a build that is killed leaves nothing that looks whole. An entry whose
blob is gone, or no longer what it was, is made again. What a cache hands out is claimed until its owner ends, so that
nobody removes it meanwhile (`engines.lease`); the time of a key's file, or of a wheel's name, tells the day of its last use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, cast

from cogworks.build.errors import AbandonedError, LayerMismatchError
from cogworks.build.file_hash import FileHashes
from cogworks.build.packer import Summary
from cogworks.engines.file_lock import file_locked
from cogworks.engines.lease import Lease, note_use
from cogworks.oci.digest import Digest
from cogworks.oci.errors import DigestError
from cogworks.oci.layer import Codec, Layer

if TYPE_CHECKING:
    from cogworks.build.shared_layers import SharedLayers
    from cogworks.registry.blobs import Blob

NAME_MAX_CHARS = 64
"""Keys and digests are sha256: 64 digits."""
LOOKUPS = 8
"""Keys that others are asked for at once."""


@dataclass(frozen=True, slots=True)
class KnownLayer:
    """What the file of a key tells: what is in the layer, and its blobs, one a codec."""

    title: str
    blobs: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class CachedLayer:
    """A layer: a file at ``path``, or a blob that is elsewhere.

    Attributes:
        is_new: it was packed just now.
        facts: those that its packer told.
        elsewhere: where the blob is instead; then there is no file.
        is_remote: that is not on this machine.
        shared_as: its key, if others may have it by that.
    """

    layer: Layer
    path: Path
    is_new: bool
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    elsewhere: Blob | None = field(default=None, compare=False, repr=False)
    is_remote: bool = False
    shared_as: str = ""

    @property
    def blob(self) -> Blob:
        """What its bytes are read from."""
        if self.elsewhere is not None:
            return self.elsewhere
        from cogworks.registry.blobs import FileBlob

        return FileBlob(self.path, self.layer.digest, self.layer.size_bytes)


class Cache:
    """The folder `oci` of the cache directory.

    Attributes:
        is_reused: whether layers of earlier builds are used; what this object made is used in any case.
        is_verified: pack every layer that can be repeated anew, and compare it with what is known of it.
        shared: where else layers may be found.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        is_reused: bool = True,
        is_verified: bool = False,
        shared: SharedLayers | None = None,
    ) -> None:
        self.root = cache_dir / "oci"
        self.is_reused, self.is_verified, self.shared = is_reused, is_verified, shared
        self._made: set[str] = set()
        # Not a method of this: a cache has to go, and what it claims with it, as soon as nobody has it any more.
        self._abandoned = Event()
        self.lease = Lease(cache_dir)
        self.hashes = FileHashes(self.root / "filehash", self._abandoned)

    def blob_path(self, digest: Digest) -> Path:
        """Return where a blob is, if it is there."""
        return self.root / "blobs" / "sha256" / digest.hex

    def wheel_path(self, digest: Digest) -> Path:
        """Return where a wheel is, if it is there."""
        return self.root / "wheels" / "sha256" / digest.hex

    def layer(
        self,
        key: str,
        codec: Codec,
        make: Callable[[Path], Summary],
        title: str = "",
        *,
        is_shared: bool = False,
        is_repeatable: bool = True,
    ) -> CachedLayer:
        """Return the layer of a key; ``make`` packs it into a new file where nobody has it.

        Two builds that want the same layer make it once: the second waits for the first.

        Args:
            title: what is in it, for people.
            is_shared: others may have packed it, and may have what is packed here.
            is_repeatable: packing it again has to give the same layer.

        Raises:
            LayerMismatchError: it was packed anew to be compared, and is another one than what is known.
        """
        found = self._find(key, codec, is_shared=is_shared, is_repeatable=is_repeatable)
        if found is not None:
            return found
        with self.lock(key):
            found = self._find(key, codec, is_shared=is_shared, is_repeatable=is_repeatable)
            if found is not None:
                return found
            with self.temporary() as path:
                summary = make(path)
                layer = summary.layer
                if self.is_verified and is_repeatable:
                    self._compare(key, layer, title, is_shared=is_shared)
                target = self.keep(path, self.blob_path(layer.digest), layer.digest)
            self._note(key, summary, title)
            self._made.add(key)
            shared_as = key if is_shared else ""
            return CachedLayer(layer, target, True, summary.facts, shared_as=shared_as)

    def layer_in_place(self, archive: Blob, *, is_new: bool) -> CachedLayer:
        """Return the layer of an archive that is stored as it is, read from where it is: its key is its digest."""
        layer = Layer(archive.digest, archive.digest, archive.size_bytes, Codec.NONE)
        path, key = self.blob_path(archive.digest), archive.digest.hex
        return CachedLayer(layer, path, is_new, elsewhere=archive, shared_as=key)

    def missing(self, keys: Sequence[str], codec: Codec) -> frozenset[str]:
        """Return which layers have to be packed; all of them may be shared, and repeated."""

        def is_missing(key: str) -> bool:
            return self._find(key, codec, is_shared=True, is_repeatable=True) is None

        if self.shared is None:
            return frozenset(key for key in keys if is_missing(key))
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(LOOKUPS) as pool:
            found = pool.map(is_missing, keys)
            return frozenset(key for key, is_gone in zip(keys, found, strict=True) if is_gone)

    def fetch(self, found: CachedLayer) -> CachedLayer:
        """Return a layer as a file of this cache, wherever it is.

        Raises:
            RegistryError: it cannot be fetched.
            MismatchError: what comes is not what its digest says.
        """
        if found.elsewhere is None:
            return found
        digest = found.layer.digest
        path = self.blob_path(digest)
        with self.lock(f"blob-{digest.hex}"):
            if not self.is_whole(path, digest, found.layer.size_bytes):
                with self.temporary() as temporary:
                    with temporary.open("xb") as file:
                        for block in found.elsewhere.open():
                            file.write(block)
                    self.keep(temporary, path, digest)
        return replace(found, path=path, elsewhere=None, is_remote=False)

    def _find(
        self, key: str, codec: Codec, *, is_shared: bool, is_repeatable: bool
    ) -> CachedLayer | None:
        """Return a layer that need not be packed."""
        if self.is_verified and is_repeatable and key not in self._made:
            return None
        found = self.find_layer(key, codec)
        if found is not None:
            return replace(found, shared_as=key) if is_shared else found
        if self.shared is None or not is_shared or not self.is_reused:
            return None
        known = self.shared.find(key, codec)
        if known is None:
            return None
        path = self.blob_path(known.layer.digest)
        return CachedLayer(known.layer, path, False, known.facts, known.blob, True, key)

    def _compare(self, key: str, layer: Layer, title: str, *, is_shared: bool) -> None:
        """Compare a layer that was packed anew with what the cache and others say of it."""
        noted = _read_json(self._key_path(key)).get("diff_id")
        if noted is not None and noted != layer.diff_id.hex:
            raise LayerMismatchError(title or key, "the cache", str(noted), layer.diff_id.hex)
        shared = self.shared if is_shared else None
        known = shared.find(key, layer.codec) if shared is not None else None
        if shared is not None and known is not None and known.layer.diff_id != layer.diff_id:
            told = known.layer.diff_id.hex
            raise LayerMismatchError(title or key, shared.name, told, layer.diff_id.hex)

    def find_layer(self, key: str, codec: Codec) -> CachedLayer | None:
        """Return a layer that is there and whole; what is damaged is removed."""
        entry = self._key_path(key)
        self.lease.claim(entry)
        noted = _read_json(entry)
        layer = _layer_of(noted, codec)
        if layer is None or not (self.is_reused or key in self._made):
            return None
        path = self.blob_path(layer.digest)
        if not self.is_whole(path, layer.digest, layer.size_bytes):
            return None
        note_use(entry)
        return CachedLayer(layer, path, False, cast("Mapping[str, object]", noted["facts"]))

    def read_key(self, path: Path) -> KnownLayer | None:
        """Return what a file in `keys` tells; None if it is not one of ours."""
        entry = _read_json(path)
        try:
            variants = cast("Mapping[str, Mapping[str, object]]", entry["variants"])
            blobs = [Digest(str(variant["digest"])) for variant in variants.values()]
        except (KeyError, TypeError, AttributeError, DigestError):
            return None
        return KnownLayer(str(entry.get("title", "")), tuple(blobs))

    def is_whole(self, path: Path, digest: Digest, size_bytes: int | None = None) -> bool:
        """Tell whether a file is what its name says; it is removed if not, and claimed if it is."""
        self.lease.claim(path)
        try:
            stat = path.stat()
            fits = size_bytes is None or stat.st_size == size_bytes
            if fits and self.hashes.sha256(path) == digest.hex:
                return True
            path.unlink()
        except FileNotFoundError:
            pass
        return False

    def keep(self, temporary: Path, target: Path, digest: Digest) -> Path:
        """Give a complete file its name; its content is known to be of the digest."""
        self.lease.claim(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(target)
        self.hashes.remember(target, digest.hex)
        return target

    def find_wheel_size(self, digest: Digest) -> int | None:
        """Return the size of a wheel that was here once, and may be gone."""
        path = self._wheel_note(digest)
        with suppress(OSError, ValueError, IndexError):
            size = int(path.read_text(encoding="utf-8").splitlines()[1])
            note_use(path)
            return size
        return None

    def note_wheel(self, digest: Digest, filename: str, size_bytes: int) -> None:
        """Note the name, the size and the use of a wheel that is there."""
        path = self._wheel_note(digest)
        if path.exists():
            note_use(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary() as temporary:
            temporary.write_text(f"{filename}\n{size_bytes}\n", encoding="utf-8")
            temporary.replace(path)

    @contextmanager
    def temporary(self) -> Generator[Path]:
        """Yield a path for a new file; whatever is still there at the end is removed."""
        if self._abandoned.is_set():
            raise AbandonedError("Nothing more is written: the build ends.")
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.lease.name}-{os.urandom(6).hex()}"
        self.lease.claim(path)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Take away what threads are writing, which so stop soon, and let nothing more be read or written."""
        self._abandoned.set()
        for path in (self.root / "tmp").glob(f"{self.lease.name}-*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold the lock of a name; the system releases it if this process dies."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with file_locked(folder / f"{name[:NAME_MAX_CHARS]}.lock"):
            yield

    def _wheel_note(self, digest: Digest) -> Path:
        return self.root / "wheels" / "names" / digest.hex

    def _key_path(self, key: str) -> Path:
        return self.root / "keys" / f"{key}.json"

    def _note(self, key: str, summary: Summary, title: str) -> None:
        """Add a variant to the key's entry; a different diff_id replaces what was there."""
        path, layer = self._key_path(key), summary.layer
        known = _read_json(path)
        variants: dict[str, object] = {}
        if known.get("diff_id") == layer.diff_id.hex:
            variants.update(cast("Mapping[str, object]", known.get("variants", {})))
        variants[layer.codec.name] = {"digest": layer.digest.hex, "size": layer.size_bytes}
        content = {
            "title": title,
            "facts": summary.facts,
            "diff_id": layer.diff_id.hex,
            "variants": variants,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary() as temporary:
            temporary.write_text(json.dumps(content, sort_keys=True) + "\n", encoding="utf-8")
            temporary.replace(path)


def _read_json(path: Path) -> Mapping[str, object]:
    """Return an entry of our own; a damaged one counts as missing."""
    try:
        value: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _layer_of(entry: Mapping[str, object], codec: Codec) -> Layer | None:
    try:
        variant = cast("Mapping[str, Mapping[str, object]]", entry["variants"])[codec.name]
        digest, size = Digest(str(variant["digest"])), variant["size"]
        diff_id = Digest(str(entry["diff_id"]))
        if not isinstance(entry["facts"], dict):
            return None
    except (KeyError, TypeError, DigestError):
        return None
    return Layer(digest, diff_id, size, codec) if isinstance(size, int) else None
