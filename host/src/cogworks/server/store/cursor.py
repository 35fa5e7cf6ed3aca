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


def first_number(last: int, now_s: float) -> int:
    """Return where a store goes on counting: after ``last``, and after all that earlier ones gave.

    They gave one at a time, from the microseconds of their own beginning on. So a cursor of an
    earlier server never stands for what has happened since.
    """
    return max(last + 1, int(now_s * 1_000_000))
