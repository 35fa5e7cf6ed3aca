"""How much a store keeps of what is over."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Records that are over, at most; the oldest are given up first.

    The newest is kept whatever its size: somebody is about to ask for it.
    """

    max_records: int = 1000
    max_age_s: float = 3600.0
    max_bytes: int = 256 * MIB

    def allow(self, records: int, size_bytes: int) -> bool:
        """Tell whether so many records of this size altogether may be kept."""
        return records <= self.max_records and (size_bytes <= self.max_bytes or records <= 1)


DEFAULT_LIMITS = Limits()
