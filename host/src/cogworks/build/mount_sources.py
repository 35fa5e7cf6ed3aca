"""Where blobs are known to be: another repository of a registry that has a blob spares sending it.

    oci/seen/<registry>.json      {"blobs": {"<hex>": ["<repository>", ...]}}, the last seen blob last

What is noted may be wrong by the time it is used: the registry is asked to mount, and if it cannot, the blob is sent and
the note is dropped. A damaged file counts as empty.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cogworks.build.cache import Cache
from cogworks.oci.digest import Digest
from cogworks.oci.errors import DigestError, InvalidReferenceError
from cogworks.oci.reference import Repository

if TYPE_CHECKING:
    from cogworks.registry.push import Pushed

BLOBS_MAX = 5_000
"""Of one registry; the blobs of some hundred images. What was seen first is forgotten first."""
REPOSITORIES_MAX = 3
"""Of one blob, the last seen first: each that is tried in vain costs a request."""

_Noted = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class MountSources:
    """Notes of a cache about which repositories have which blobs."""

    cache: Cache

    def find(self, registry: str) -> Mapping[Digest, Sequence[Repository]]:
        """Return what is known of a registry: for each blob the repositories, the last seen first."""
        found: dict[Digest, list[Repository]] = {}
        for digest, names in _read(self.path(registry)).items():
            with suppress(DigestError, InvalidReferenceError):
                found[Digest(digest)] = [Repository(registry, name) for name in names]
        return found

    def remember(
        self, target: Repository, pushed: Pushed, tried: Mapping[Digest, Sequence[Repository]]
    ) -> None:
        """Note that a repository has the blobs of an image that was pushed there; several processes may do so at once.

        Args:
            tried: what was known before; what had to be sent although it was known elsewhere is not there any more.
        """
        gone = {
            digest.hex: frozenset(one.name for one in tried.get(digest, ()))
            for digest in pushed.uploaded
        }
        self.note(target, [one.hex for one in pushed.outcomes], gone)

    def note(
        self, target: Repository, digests: Iterable[str], gone: Mapping[str, Collection[str]]
    ) -> None:
        """Note that a repository has some blobs, and which other ones have not got them any more."""
        path = self.path(target.registry)
        # Nothing of a push that has succeeded may fail because of a note.
        with suppress(OSError), self.cache.lock(f"seen-{path.stem}"):
            noted = _read(path)
            for digest in digests:
                before = noted.pop(digest, [])
                kept = [name for name in before if name not in gone.get(digest, ())]
                noted[digest] = list(dict.fromkeys([target.name, *kept]))[:REPOSITORIES_MAX]
            self._write(path, noted)

    def path(self, registry: str) -> Path:
        """Return where the notes of a registry are."""
        return self.cache.root / "seen" / f"{registry.replace(':', '_')}.json"

    def _write(self, path: Path, noted: _Noted) -> None:
        kept = dict(list(noted.items())[-BLOBS_MAX:])
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.cache.temporary() as temporary:
            temporary.write_text(json.dumps({"blobs": kept}) + "\n", encoding="utf-8")
            temporary.replace(path)


def _read(path: Path) -> _Noted:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        value: object = json.loads(path.read_bytes())
        blobs = cast("dict[str, dict[str, list[object]]]", value)["blobs"]
        return {
            digest: [name for name in names if isinstance(name, str)]
            for digest, names in blobs.items()
        }
    return {}
