"""Layers that others have packed, found by their keys in a repository of a registry; and ours put there for others.

For each layer there is a small artifact, whose tag is the key and the codec. It names the layer's blob as its own, so the
registry keeps that as long as the entry; the `diff_id` and what the packer told of the content are annotations. One
request finds a layer, and neither packages nor the blob come to this machine: a push mounts it, or streams it.

Beside them are locks (`shared_locks`), for a day each, so that another machine need not resolve the same requirements.

An entry is believed. Whoever may write to the repository decides what is in the images of those who use it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from cogworks.build.cache import LOOKUPS, CachedLayer
from cogworks.build.shared_layers import SharedLayer
from cogworks.build.shared_locks import SharedLock, SharedLocks
from cogworks.oci.digest import parse_digest
from cogworks.oci.documents import Json, canonical_json
from cogworks.oci.errors import OciError
from cogworks.oci.layer import Codec, Layer, codec_of
from cogworks.oci.manifest import EMPTY_BLOB, OCI_EMPTY, Descriptor, Manifest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import BytesBlob, RemoteBlob
from cogworks.registry.errors import NotFoundError, RegistryError
from cogworks.registry.uploads import Uploads

if TYPE_CHECKING:
    from cogworks.registry.client import Client

ARTIFACT_TYPE = "application/vnd.cogworks.layer.v1"
KEY, DIFF_ID, FACTS = (f"run.cog.layer.{name}" for name in ("key", "diff-id", "facts"))
"""Annotations of an entry."""
_Found = TypeVar("_Found")


class LayerIndex:
    """The index in one repository.

    A registry that cannot be asked is asked no more: layers are then packed here, and ``notices`` say why.

    Args:
        connect: returns the client of registries; called when something is looked up.

    Attributes:
        repository: where it is; what others have put into it may be mounted from there.
    """

    def __init__(self, connect: Callable[[], Client], repository: Repository) -> None:
        self._connect, self.repository = connect, repository
        self._locks = SharedLocks(connect, repository)
        self._known: dict[tuple[str, Codec], SharedLayer | None] = {}
        self._lock = Lock()
        self._failure: RegistryError | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.repository)

    @property
    def notices(self) -> tuple[str, ...]:
        """What went wrong while layers were looked up."""
        if self._failure is None:
            return ()
        return (f"The index of layers in {self.name} cannot be read: {self._failure}",)

    def find(self, key: str, codec: Codec) -> SharedLayer | None:
        """Return the layer of a key, if somebody has put it here; asked for once."""
        with self._lock:
            if self._failure is not None or (key, codec) in self._known:
                return self._known.get((key, codec))
        found = self._tried(lambda: self._ask(key, codec))
        with self._lock:
            return self._known.setdefault((key, codec), found)

    def find_lock(self, key: str) -> SharedLock | None:
        """Return the lock of a key, if another machine has put it here within a day."""
        return None if self._failure is not None else self._tried(lambda: self._locks.find(key))

    def offer_lock(self, key: str, lock: SharedLock) -> None:
        """Let `publish` put a lock here, too."""
        self._locks.offer(key, lock)

    def _tried(self, ask: Callable[[], _Found | None]) -> _Found | None:
        """Return what a question is answered with; what goes wrong is noted, and is no answer."""
        try:
            return ask()
        except NotFoundError:
            return None
        except RegistryError as error:
            with self._lock:
                self._failure = error
            return None

    def publish(self, layers: Sequence[CachedLayer], near: Repository) -> str:
        """Put layers here that are not here yet, and locks; return what went wrong, or nothing.

        Args:
            near: a repository that has their blobs already: they are mounted from there where that is possible.
        """
        ours = [one for one in layers if one.shared_as and not one.is_remote]
        try:
            with ThreadPoolExecutor(LOOKUPS) as pool:
                is_there = list(pool.map(self._has, ours))
            missing = [one for one, there in zip(ours, is_there, strict=True) if not there]
            self._put(missing, near)
            self._locks.publish()
        except RegistryError as error:
            return (
                f"The index of layers in {self.name} has not got the layers of this image: {error}"
            )
        return ""

    def _ask(self, key: str, codec: Codec) -> SharedLayer | None:
        client = self._connect()
        document = client.get_manifest(self._reference(key, codec)).document
        if not isinstance(document, Manifest):
            return None
        return _layer_of(document, key, codec, client, self.repository)

    def _has(self, layer: CachedLayer) -> bool:
        reference = self._reference(layer.shared_as, layer.layer.codec)
        return self._connect().find_manifest(reference) is not None

    def _put(self, layers: Iterable[CachedLayer], near: Repository) -> None:
        client, entries = self._connect(), [(one, _entry(one)) for one in layers]
        if not entries:
            return
        with Uploads(client, self.repository) as uploads:
            uploads.submit(BytesBlob(EMPTY_BLOB))
            for layer, _ in entries:
                uploads.submit(layer.blob, [near])
        for layer, entry in entries:
            reference = self._reference(layer.shared_as, layer.layer.codec)
            client.put_manifest(reference, entry.to_bytes(), entry.media_type)

    def _reference(self, key: str, codec: Codec) -> Reference:
        return Reference(self.repository, tag=f"{key}-{codec.name.lower()}")


def _entry(layer: CachedLayer) -> Manifest:
    empty = BytesBlob(EMPTY_BLOB)
    return Manifest(
        Descriptor(OCI_EMPTY, empty.digest, empty.size_bytes),
        (replace(layer.layer.descriptor, annotations={}),),
        {
            KEY: layer.shared_as,
            DIFF_ID: str(layer.layer.diff_id),
            FACTS: canonical_json(cast(Json, layer.facts)).decode(),
        },
        artifact_type=ARTIFACT_TYPE,
    )


def _layer_of(
    entry: Manifest, key: str, codec: Codec, client: Client, repository: Repository
) -> SharedLayer | None:
    """Return the layer that an entry tells of; one that is not as we write them counts as none."""
    if entry.artifact_type != ARTIFACT_TYPE or entry.annotations.get(KEY) != key:
        return None
    with suppress(OciError, ValueError, KeyError, RecursionError):
        (blob,) = entry.layers
        facts: object = json.loads(entry.annotations[FACTS])
        diff_id = parse_digest(entry.annotations[DIFF_ID])
        if codec_of(blob.media_type) is codec and isinstance(facts, dict):
            layer = Layer(blob.digest, diff_id, blob.size_bytes, codec)
            known = cast("dict[str, object]", facts)
            return SharedLayer(layer, RemoteBlob(client, repository, blob), known)
    return None
