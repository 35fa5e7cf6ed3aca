"""One thing in the cache, as data: an environment, a layer, a wheel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """What there is in a cache; each comes back by itself when it is needed again."""

    ENVIRONMENTS = "environments"
    """Virtual environments of the local engine."""
    IMAGES = "images"
    """What the images that were built here consist of; not their layers."""
    LAYERS = "layers"
    """Layers of images, packed."""
    WHEELS = "wheels"
    """Packages as they were downloaded, and our own."""
    BYTECODE = "bytecode"
    """Compiled modules of wheels."""
    PYTHONS = "pythons"
    """Pythons that images bring along."""
    BASES = "bases"
    """Manifests and configurations of base images."""
    REGISTRIES = "registries"
    """Which repositories of a registry are known to have which blobs."""
    SDK = "sdk"
    """Copies of the SDK that workers are started from."""
    LOCKS = "locks"
    """What requirements were resolved to: without it, they may come to newer packages."""
    LEFTOVERS = "leftovers"
    """What builds that were killed have begun, what lost its counterpart, what does not work any more."""


KEPT_UNLESS_NAMED = frozenset({Kind.LOCKS})
"""Small, and not the same when made again: only whoever names them, or wants everything gone, removes them."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large some files are.

    Attributes:
        total_bytes: of all of them.
        freed_bytes: what is free once they are gone; a file that has another name elsewhere frees nothing.
    """

    total_bytes: int = 0
    freed_bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.total_bytes + other.total_bytes,
            self.freed_bytes + other.freed_bytes,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be removed by itself.

    Attributes:
        name: short, and unlike those of others of its kind.
        detail: what is in it, for people.
        path: what its users claim: a file or a folder.
        parts: files that belong to it, and maybe to other entries, too; they go with the last of these.
        size: of everything, parts included.
        made_at: seconds since 1970; None where nothing tells.
        used_at: its last use, exact to a day.
    """

    kind: Kind
    name: str
    detail: str
    path: Path
    size: Size
    used_at: float
    made_at: float | None = None
    parts: tuple[Path, ...] = ()
    is_in_use: bool = False


def total_size(entries: Iterable[Entry]) -> Size:
    """Return the size of several entries together; a part that two of them share counts for both."""
    return sum((entry.size for entry in entries), Size())
