"""Places in a list: opaque to clients, to us the number of the last record of a page."""

from __future__ import annotations

from cogworks.server.store.errors import CursorError

END = (1 << 63) - 1
"""Larger than every number: a list begins there. The largest integer of SQLite."""

MAX_DIGITS = 18
"""Of a number; more would not fit into 63 bits."""


def parse(cursor: str | None) -> int:
    """Return the number below which the page begins.

    Raises:
        CursorError: none of ours.
    """
    if cursor is None:
        return END
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= MAX_DIGITS):
        raise CursorError(cursor)
    return int(cursor)
