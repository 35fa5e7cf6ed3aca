"""When a cache was swept last; apart from the sweep itself, so that asking loads nothing."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

NAME = "swept"
"""A file whose time tells it."""
EVERY_S = 24 * 3600.0


def is_time(cache_dir: Path) -> bool:
    """Tell whether a cache was not swept for a day; a new one begins its first day with that question."""
    stamp = cache_dir / NAME
    try:
        return time.time() - stamp.stat().st_mtime > EVERY_S
    except FileNotFoundError:
        with suppress(OSError):
            stamp.touch()
        return False
    except OSError:
        return False
