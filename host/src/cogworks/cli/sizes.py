"""Sizes as people read them: decimal, as registries and disks are labelled."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB")


def shown_size(size_bytes: float) -> str:
    """Return `12 B`, `1.5 kB`, `340 MB`: three digits or fewer, and no more than one behind the point."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    value, unit = float(size_bytes), ""
    for unit in _UNITS:  # noqa: B007 - the last one is for whatever is larger
        value /= 1000
        # What would be rounded up to 1000 belongs to the next unit.
        if value < 999.5:
            break
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
