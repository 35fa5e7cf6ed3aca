"""Remove entries of a cache while others use it: what somebody claims stays, and what goes is gone at once.

Under the gate of claims, which nobody else passes meanwhile, files are only moved, to a folder in `trash` named by a
lease of ours; they are deleted afterwards. Whoever looks for something finds all of it or nothing. If this is killed in
between, the next one finds the folder without its owner.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.engines.lease import Claims, Lease, claims_held
from cogworks.housekeeping.bases import base_documents, base_layers
from cogworks.housekeeping.entry import Entry
from cogworks.housekeeping.oci_entries import CALLS, TRASH, forgotten_notes, known_layers

BATCH = 100
"""So many entries are moved before others may claim something again."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of the entries that were to go.

    Attributes:
        kept: what somebody began to use meanwhile, or what could not be moved.
    """

    removed: tuple[Entry, ...]
    kept: tuple[Entry, ...]

    @property
    def freed_bytes(self) -> int:
        """What is free now that was not before."""
        return sum(entry.size.freed_bytes for entry in self.removed)


def remove(cache_dir: Path, entries: Sequence[Entry]) -> Removal:
    """Remove entries, in their order, unless somebody uses them; and notes that nobody needs any more."""
    for note in forgotten_notes(cache_dir):
        # Two that hold "the" lock of a layer then both make it: no harm, and it takes a lock a day old.
        with suppress(OSError):
            note.unlink()
    if not entries:
        return Removal((), ())
    # They tell of what is there: with one, nobody would look for what is going to be gone.
    shutil.rmtree(cache_dir / "oci" / CALLS, ignore_errors=True)
    lease = Lease(cache_dir)
    trash = cache_dir / TRASH / lease.name
    lease.claim(trash)
    removed: list[Entry] = []
    try:
        trash.mkdir(parents=True, exist_ok=True)
        for at in range(0, len(entries), BATCH):
            with claims_held(cache_dir) as claims:
                removed += _move(cache_dir, entries[at : at + BATCH], claims, trash)
            _empty(trash)
    finally:
        shutil.rmtree(trash, ignore_errors=True)
    gone = frozenset(entry.path for entry in removed)
    return Removal(tuple(removed), tuple(one for one in entries if one.path not in gone))


def _move(
    cache_dir: Path, entries: Iterable[Entry], claims: Claims, trash: Path
) -> Iterable[Entry]:
    free = [one for one in entries if not claims.cover(one.path, cache_dir)]
    wanted = _wanted_parts(cache_dir, {one.path for one in free})
    for entry in free:
        # The entry itself first: without it, nobody looks for its parts. A blob may have found its key meanwhile.
        if entry.path in wanted or not _move_one(entry.path, trash):
            continue
        for part in entry.parts:
            if part not in wanted and not claims.cover(part, cache_dir):
                _move_one(part, trash)
        yield entry


def _wanted_parts(cache_dir: Path, going: set[Path]) -> set[Path]:
    """Return the blobs of layers and bases that stay, with the notes of their digests."""
    cache = Cache(cache_dir)
    known = known_layers(cache)
    blobs = [cache.blob_path(one) for path in known.keys() - going for one in known[path].blobs]
    bases = set(base_documents(cache)) - going
    blobs += [cache.blob_path(one) for path in bases for one in base_layers(path)]
    return {*blobs, *(cache.hashes.entry(blob) for blob in blobs)}


def _move_one(path: Path, trash: Path) -> bool:
    try:
        os.rename(path, trash / secrets.token_hex(8))
    except OSError:
        return False
    return True


def _empty(trash: Path) -> None:
    with suppress(OSError):
        for path in list(trash.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
