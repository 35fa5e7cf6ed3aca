"""Predictions kept in an SQLite file, which outlives the server.

The event loop only puts records into a backlog; one thread owns the file, writes what has come
together since it last looked, and reads for those who ask. A record is in the backlog until it is
in the file, so whoever asks finds it in one of the two.

A server that is killed loses at most what the backlog held at that moment: a millisecond's worth.
When the file cannot be written (a full disk), that is logged once, the backlog keeps what it can,
and serving goes on.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TypeVar

from cogworks.server.store import cursor as cursors
from cogworks.server.store.backlog import Backlog
from cogworks.server.store.database import connect, explain
from cogworks.server.store.errors import StoreError
from cogworks.server.store.limits import DEFAULT_LIMITS, Limits
from cogworks.server.store.protocol import Key, Page
from cogworks.server.store.records import Record
from cogworks.server.store.table import Table

RETRY_S = 1.0
"""After a failure the file is left alone for so long; then the next record is another try."""

MAX_RECORD_BYTES = 900_000_000
"""What SQLite takes for one row is 1,000,000,000 bytes. Source: sqlite.org/limits.html."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class SqliteStore:
    """A store in a file that one server has for itself."""

    is_durable = True

    def __init__(
        self,
        path: Path,
        limits: Limits = DEFAULT_LIMITS,
        *,
        clock: Callable[[], float] = time.time,
        backlog: Backlog | None = None,
    ) -> None:
        """Name the file; ``clock`` tells the seconds since the epoch."""
        self.path = path
        self._limits = limits
        self._clock = clock
        self._backlog = Backlog() if backlog is None else backlog
        self._executor = ThreadPoolExecutor(1, "cogworks-store")
        self._table: Table | None = None
        self._in_flight: set[str] = set()
        self._is_write_due = False
        self._is_closed = False
        self._failed_at: float | None = None
        self._given_up = 0  # As far as it has been logged.

    async def open(self) -> Sequence[Record]:
        """Open the file; return what was in flight when the last server ended, oldest first.

        Raises:
            StoreError: another server uses it, it is damaged, or cannot be opened.
        """
        lost, last = await self._in_thread(self._open)
        self._backlog.next_number = cursors.first_number(last, self._clock())
        self._in_flight = {record.id for record in lost}
        return lost

    def put(self, record: Record) -> None:
        """Have a record written soon."""
        if self._is_closed or record.size_bytes > MAX_RECORD_BYTES:
            reason = "the store is closed" if self._is_closed else f"{record.size_bytes} bytes"
            logger.error("prediction not kept, %s: prediction=%s", reason, record.id)
            return
        if record.is_finished:
            self._in_flight.discard(record.id)
        else:
            self._in_flight.add(record.id)
        self._backlog.put(record)
        self._order_write()

    def forget_webhook(self, prediction_id: str) -> None:
        """Have it written soon that the end of a prediction has been told."""
        if not self._is_closed:
            self._backlog.forget_webhook(prediction_id)
            self._order_write()

    async def flush(self, prediction_id: str) -> None:
        """Return when the file holds what was put under this id, or when it cannot be written."""
        is_waiting = self._backlog.find(prediction_id) is not None
        if is_waiting and not self._is_closed and not self._is_pausing():
            await self._in_thread(lambda: self._write_until(prediction_id))

    async def untold(self, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Return the newest of those whose end is to be told, oldest first."""
        return await self._in_thread(
            lambda: self._opened().untold(self._oldest(), max_records, max_bytes)
        )

    async def find(self, prediction_id: str) -> Record | None:
        """Return the record of an id."""
        record = self._backlog.find(prediction_id)
        if record is not None:
            return record
        is_in_flight = prediction_id in self._in_flight
        record = await self._in_thread(lambda: self._opened().find(prediction_id, self._oldest()))
        return record if record is None or record.is_finished or is_in_flight else None

    @property
    def next_number(self) -> int:
        """Return the number of what is put next."""
        return self._backlog.next_number

    async def list(self, limit: int, cursor: str | None) -> Page:
        """Return a page of what is over, the last to end first."""
        before = cursors.parse(cursor)
        page = await self._in_thread(lambda: self._list(before, limit + 1))
        following = str(page[limit - 1][0]) if len(page) > limit else None
        return Page([record for _, record in page[:limit]], following)

    async def list_since(self, number: int, before: Key, limit: int) -> Sequence[Record]:
        """Return what has ended since ``number``, the last to be created first."""
        return await self._in_thread(lambda: self._list_since(number, before, limit))

    async def close(self) -> None:
        """Write what waits, and close the file."""
        if not self._is_closed:
            self._is_closed = True
            await self._in_thread(self._close)
            self._executor.shutdown()

    async def _in_thread(self, action: Callable[[], T]) -> T:
        """Do something with the file in its thread, after all that was asked of it before.

        Raises:
            StoreError: SQLite refuses.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, action)
        except sqlite3.Error as error:
            raise StoreError(self.path, explain(error)) from error

    def _order_write(self) -> None:
        if not self._is_write_due and not self._is_pausing():
            self._is_write_due = True
            self._executor.submit(self._write)

    def _is_pausing(self) -> bool:
        return self._failed_at is not None and time.monotonic() < self._failed_at + RETRY_S

    # -- in the thread ------------------------------------------------------------------------

    def _open(self) -> tuple[Sequence[Record], int]:
        connection = connect(self.path)
        try:
            self._table = Table(connection, self._limits)
            return self._table.in_flight(), self._table.last_number()
        except sqlite3.Error:
            connection.close()
            raise

    def _opened(self) -> Table:
        if self._table is None:
            raise StoreError(self.path, "it is not open")
        return self._table

    def _oldest(self) -> float:
        return self._clock() - self._limits.max_age_s

    def _list(self, before: int, limit: int) -> Sequence[tuple[int, Record]]:
        self._write_unless_pausing()
        rows = dict(self._opened().page(before, limit, self._oldest()))
        # What could not be written has its number all the same.
        rows.update(entry for entry in self._backlog.finished() if entry[0] < before)
        return sorted(rows.items(), key=itemgetter(0), reverse=True)[:limit]

    def _list_since(self, number: int, before: Key, limit: int) -> Sequence[Record]:
        self._write_unless_pausing()
        rows = {it.key: it for it in self._opened().since(number, before, limit, self._oldest())}
        unwritten = [record for its, record in self._backlog.finished() if its >= number]
        rows.update((record.key, record) for record in unwritten if record.key < before)
        return sorted(rows.values(), key=attrgetter("key"), reverse=True)[:limit]

    def _write_unless_pausing(self) -> None:
        if not self._is_pausing():
            self._write_all()

    def _close(self) -> None:
        self._write_all()
        if self._backlog:
            logger.error("%d predictions are lost: store %s", len(self._backlog), self.path)
        table, self._table = self._table, None
        if table is not None:
            table.close()

    def _write(self) -> None:
        """Write one batch; what remains comes after those who wait to read."""
        self._is_write_due = False  # First of all: what is put from now on asks for another turn.
        if self._write_batch() and not self._is_write_due and not self._is_closed:
            self._is_write_due = True
            self._executor.submit(self._write)

    def _write_until(self, prediction_id: str) -> None:
        while self._backlog.find(prediction_id) is not None and self._write_batch():
            pass

    def _write_all(self) -> None:
        while self._write_batch():
            pass

    def _write_batch(self) -> bool:
        """Write the oldest records that wait; tell whether there are more."""
        batch = self._backlog.take()
        if not (batch.records or batch.told) or self._table is None:
            return False
        try:
            self._table.write(batch, self._oldest())
        except sqlite3.Error as error:
            self._note_failure(error)
            return False
        except Exception:
            lost = len(batch.records)
            logger.exception("%d predictions are not kept: store %s", lost, self.path)
        self._backlog.settle(batch)
        self._note_success()
        return self._backlog.has_more()

    def _note_failure(self, error: sqlite3.Error) -> None:
        if self._failed_at is None:
            logger.error(
                "predictions are kept in memory only for now, %s: store %s",
                explain(error),
                self.path,
            )
        self._failed_at = time.monotonic()

    def _note_success(self) -> None:
        if self._failed_at is not None:
            logger.warning("predictions are kept again: store %s", self.path)
        self._failed_at = None
        given_up = self._backlog.given_up
        if given_up > self._given_up and not self._backlog:
            logger.error(
                "%d predictions are not kept, too many waited for the disk: store %s",
                given_up - self._given_up,
                self.path,
            )
            self._given_up = given_up
