"""What a cache may ask others for: layers that they have packed, and what they have resolved, by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cogworks.build.shared_locks import SharedLock
from cogworks.oci.layer import Codec, Layer
from cogworks.registry.blobs import Blob


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer that somebody else has packed; ``facts`` are those that its packer told."""

    layer: Layer
    blob: Blob
    facts: Mapping[str, object]


class SharedLayers(Protocol):
    """An index of layers that others have packed."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def find(self, key: str, codec: Codec) -> SharedLayer | None:
        """Return the layer of a key, if somebody has packed it; whatever goes wrong is none."""
        ...

    def find_lock(self, key: str) -> SharedLock | None:
        """Return what somebody has resolved within a day; whatever goes wrong is none."""
        ...

    def offer_lock(self, key: str, lock: SharedLock) -> None:
        """Let others have what was resolved here, when layers are given to them."""
        ...
