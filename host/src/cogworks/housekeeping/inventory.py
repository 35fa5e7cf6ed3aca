"""Everything in the cache's folder, one entry each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cogworks.engines.lease import read_claims
from cogworks.housekeeping.entry import Entry, Kind
from cogworks.housekeeping.environments import environment_entries
from cogworks.housekeeping.oci_entries import oci_entries


def survey(cache_dir: Path) -> tuple[Entry, ...]:
    """Return what a cache holds, by kind, the last used first; nothing is changed."""
    if not cache_dir.is_dir():
        return ()
    claims = read_claims(cache_dir)
    found = (*environment_entries(cache_dir), *oci_entries(cache_dir, claims))
    marked = (replace(one, is_in_use=claims.cover(one.path, cache_dir)) for one in found)
    return tuple(sorted(marked, key=_position))


def by_kind(entries: Sequence[Entry]) -> Iterator[tuple[Kind, tuple[Entry, ...]]]:
    """Yield (kind, its entries) for each kind that there is, in the order of kinds."""
    for kind in Kind:
        chosen = tuple(entry for entry in entries if entry.kind is kind)
        if chosen:
            yield kind, chosen


def _position(entry: Entry) -> tuple[int, float, str]:
    return list(Kind).index(entry.kind), -entry.used_at, entry.name
