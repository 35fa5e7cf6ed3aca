"""Which entries go: those not used for long, then the least recently used ones until the rest is small enough; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cogworks.housekeeping.entry import KEPT_UNLESS_NAMED, Entry, Kind, total_size


@dataclass(frozen=True, slots=True)
class Policy:
    """What is to be removed.

    Attributes:
        kinds: only these; None stands for all but ``KEPT_UNLESS_NAMED``.
        older_than_s: what was not used for so long.
        max_bytes: how much may stay, of these kinds together.
        everything: all of it, whenever it was used; without kinds, really all.
    """

    kinds: frozenset[Kind] | None = None
    older_than_s: float | None = None
    max_bytes: int | None = None
    everything: bool = False

    def concerns(self, kind: Kind) -> bool:
        """Tell whether entries of a kind may be removed."""
        if self.kinds is not None:
            return kind in self.kinds
        return self.everything or kind not in KEPT_UNLESS_NAMED


def choose(entries: Iterable[Entry], policy: Policy, now: float) -> list[Entry]:
    """Return what has to go, the least recently used first; what is in use stays.

    Leftovers of a kind that is concerned go whatever their age: nobody can use them.

    Args:
        now: seconds since 1970.
    """
    concerned = [entry for entry in entries if policy.concerns(entry.kind)]
    candidates = sorted(
        (entry for entry in concerned if not entry.is_in_use),
        key=lambda entry: (entry.used_at, entry.kind.value, entry.name),
    )
    size_bytes = total_size(concerned).total_bytes
    chosen: list[Entry] = []
    for entry in candidates:
        is_old = policy.older_than_s is not None and now - entry.used_at > policy.older_than_s
        is_much = policy.max_bytes is not None and size_bytes > policy.max_bytes
        if policy.everything or is_old or is_much or entry.kind is Kind.LEFTOVERS:
            chosen.append(entry)
            size_bytes -= entry.size.total_bytes
    return chosen
