"""Predictions kept in memory, as long as the limits allow and the server lives."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from operator import attrgetter

from cogworks.server.store import cursor as cursors
from cogworks.server.store.limits import DEFAULT_LIMITS, Limits
from cogworks.server.store.protocol import Key, Page
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
        self._next_number = cursors.first_number(0, clock())
        self._records: dict[str, Record] = {}
        self._ended: deque[tuple[int, Record]] = deque()  # With their numbers, the oldest first.
        self._finished_bytes = 0

    async def open(self) -> Sequence[Record]:
        """Return nothing: nothing outlived the last server."""
        return ()

    def put(self, record: Record) -> None:
        """Keep a record, and give up the oldest ones that are too many."""
        self._expire()
        earlier = self._records.get(record.id)
        if earlier is not None and earlier.is_finished and not self._is_expired(earlier):
            return
        self._records[record.id] = record
        if record.is_finished:
            self._ended.append((self._next_number, record))
            self._next_number += 1
            self._finished_bytes += record.size_bytes
            while not self._limits.allow(len(self._ended), self._finished_bytes):
                self._drop_oldest()

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
        record = self._records.get(prediction_id)
        return None if record is None or self._is_expired(record) else record

    @property
    def next_number(self) -> int:
        """Return the number of the next end."""
        return self._next_number

    async def list(self, limit: int, cursor: str | None) -> Page:
        """Return a page of what is over, the last to end first."""
        self._expire()
        before = cursors.parse(cursor)
        older = (entry for entry in reversed(self._ended) if entry[0] < before)
        page = list(islice((entry for entry in older if self._is_kept(entry[1])), limit + 1))
        following = str(page[limit - 1][0]) if len(page) > limit else None
        return Page([record for _, record in page[:limit]], following)

    async def list_since(self, number: int, before: Key, limit: int) -> Sequence[Record]:
        """Return what has ended since ``number``, the last to be created first."""
        self._expire()
        latest = takewhile(lambda entry: entry[0] >= number, reversed(self._ended))
        below = [it for _, it in latest if it.key < before and self._is_kept(it)]
        return sorted(below, key=attrgetter("key"), reverse=True)[:limit]

    async def close(self) -> None:
        """Do nothing: there is nothing to save."""

    def _is_expired(self, record: Record) -> bool:
        if record.completed_at is None:
            return False
        return record.completed_at < self._clock() - self._limits.max_age_s

    def _is_kept(self, record: Record) -> bool:
        """Tell whether what ended is still to be seen: it may have expired, and its id be used again."""
        return self._records.get(record.id) is record and not self._is_expired(record)

    def _expire(self) -> None:
        while self._ended and self._is_expired(self._ended[0][1]):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, record = self._ended.popleft()
        self._finished_bytes -= record.size_bytes
        if self._records.get(record.id) is record:
            del self._records[record.id]
