"""Predictions kept in memory, as long as the limits allow and the server lives."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import islice

from cogworks.server.store import cursor as cursors
from cogworks.server.store.limits import DEFAULT_LIMITS, Limits
from cogworks.server.store.protocol import Page
from cogworks.server.store.records import Record


class MemoryStore:
    """A store that ends with the server; the default."""

    is_durable = False

    def __init__(
        self, limits: Limits = DEFAULT_LIMITS, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Begin empty; ``clock`` tells the seconds since the epoch."""
        self._limits = limits
        self._clock = clock
        self._count = 0
        self._entries: dict[str, tuple[int, Record]] = {}  # By id, in the order of their numbers.
        self._finished: OrderedDict[str, Record] = OrderedDict()  # In the order of their ends.
        self._finished_bytes = 0

    async def open(self) -> Sequence[Record]:
        """Return nothing: nothing outlived the last server."""
        return ()

    def put(self, record: Record) -> None:
        """Keep a record, and give up the oldest ones that are too many."""
        self._expire()
        entry = self._entries.get(record.id)
        if entry is not None and entry[1].is_finished:
            if not self._is_expired(entry[1]):
                return
            self._drop(record.id)
            entry = None
        if entry is None:
            self._count += 1
        self._entries[record.id] = (entry[0] if entry else self._count, record)
        if record.is_finished:
            self._finished[record.id] = record
            self._finished_bytes += record.size_bytes
            self._shrink()

    async def flush(self, prediction_id: str) -> None:
        """Do nothing: nothing here outlives the process."""

    def forget_webhook(self, prediction_id: str) -> None:
        """Do nothing: nobody will ask."""

    async def untold(self, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Return nothing: what is to be told ends with the server, as the records do."""
        return ()

    async def find(self, prediction_id: str) -> Record | None:
        """Return the record of an id."""
        self._expire()
        entry = self._entries.get(prediction_id)
        return None if entry is None or self._is_expired(entry[1]) else entry[1]

    async def list(self, limit: int, cursor: str | None) -> Page:
        """Return a page of the records, newest first."""
        self._expire()
        before = cursors.parse(cursor)
        entries = reversed(self._entries.values())
        older = (e for e in entries if e[0] < before and not self._is_expired(e[1]))
        page = list(islice(older, limit + 1))
        following = str(page[limit - 1][0]) if len(page) > limit else None
        return Page([record for _, record in page[:limit]], following)

    async def close(self) -> None:
        """Do nothing: there is nothing to save."""

    def _is_expired(self, record: Record) -> bool:
        if record.completed_at is None:
            return False
        return record.completed_at < self._clock() - self._limits.max_age_s

    def _expire(self) -> None:
        while self._finished and self._is_expired(next(iter(self._finished.values()))):
            self._drop(next(iter(self._finished)))

    def _shrink(self) -> None:
        while not self._limits.allow(len(self._finished), self._finished_bytes):
            self._drop(next(iter(self._finished)))

    def _drop(self, prediction_id: str) -> None:
        self._finished_bytes -= self._finished.pop(prediction_id).size_bytes
        del self._entries[prediction_id]
