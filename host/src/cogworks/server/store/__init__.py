"""Where predictions are kept for those who ask later: in memory, or in a file that outlives the server."""

from __future__ import annotations

from pathlib import Path

from cogworks.server.store.errors import CursorError, StoreError, StoreUrlError
from cogworks.server.store.limits import DEFAULT_LIMITS, Limits
from cogworks.server.store.memory import MemoryStore
from cogworks.server.store.protocol import Page, Store
from cogworks.server.store.records import Record

__all__ = [
    "CursorError",
    "Limits",
    "MemoryStore",
    "Page",
    "Record",
    "Store",
    "StoreError",
    "StoreUrlError",
    "open_store",
]

MEMORY = "memory:"
SQLITE = "sqlite:///"


def open_store(url: str, limits: Limits = DEFAULT_LIMITS) -> Store:
    """Return the store that ``url`` names; nothing is touched before its ``open``.

    ``memory:``, or ``sqlite:///`` and a path: ``sqlite:///runs.db`` is in the working directory,
    ``sqlite:////data/runs.db`` is absolute, as elsewhere with such URLs.

    Raises:
        StoreUrlError: it names none.
    """
    if url == MEMORY:
        return MemoryStore(limits)
    path = url.removeprefix(SQLITE)
    if path in ("", url) or "\0" in path:
        raise StoreUrlError(url)
    # Most servers need no database: they start without the time that its import takes.
    from cogworks.server.store.sqlite import SqliteStore

    return SqliteStore(Path(path).absolute(), limits)
