"""The table of a store's file: records in, records out, nothing beyond the limits.

Everything here runs in the one thread that owns the connection. Large values are copied without
holding up the other threads of the process, which binding them as parameters would do.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cogworks.server.store.backlog import Batch
from cogworks.server.store.limits import Limits
from cogworks.server.store.protocol import Key
from cogworks.server.store.records import Record

LARGE_BYTES = 256 * 1024
"""Values from this size on take a way of their own; to copy less takes some ten microseconds."""

COLUMNS = f"""
    number, id, status, created_at, completed_at, digest, webhook,
    length(body), CASE WHEN length(body) < {LARGE_BYTES} THEN body END,
    length(request), CASE WHEN length(request) < {LARGE_BYTES} THEN request END
"""


@dataclass(frozen=True)
class Kept:
    """How many records are over and kept, and their size."""

    records: int
    size_bytes: int


class Table:
    """The records of one file."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        """Take over an open connection; count what is there."""
        self._connection = connection
        self._limits = limits
        query = "SELECT count(*), total(size) FROM predictions WHERE completed_at IS NOT NULL"
        records, size_bytes = connection.execute(query).fetchone()
        self._kept = Kept(records, int(size_bytes))

    def write(self, batch: Batch, oldest_at: float) -> None:
        """Put records, all or none; give up those that ended before ``oldest_at`` or are too many.

        After that, the webhooks of those that have been told are forgotten.

        Raises:
            sqlite3.Error: nothing has changed.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            # What has expired goes first: its id may come again.
            kept = self._evict(self._kept, oldest_at)
            for number, record in zip(batch.numbers, batch.records, strict=True):
                kept = self._put(number, record, kept)
            self._connection.executemany(FORGET_WEBHOOK, [(name,) for name in batch.told])
            kept = self._evict(kept, oldest_at)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._kept = kept

    def find(self, prediction_id: str, oldest_at: float) -> Record | None:
        """Return the record of an id, unless it has expired."""
        query = f"SELECT {COLUMNS} FROM predictions WHERE id = ? AND {ALIVE}"
        row = self._connection.execute(query, (prediction_id, oldest_at)).fetchone()
        return None if row is None else self._record(row)

    def page(self, before: int, limit: int, oldest_at: float) -> list[tuple[int, Record]]:
        """Return up to ``limit`` records of what is over, and their numbers, downwards from ``before``."""
        rows = self._connection.execute(PAGE, (before, oldest_at, limit)).fetchall()
        return [(row[0], self._record(row)) for row in rows]

    def since(self, number: int, before: Key, limit: int, oldest_at: float) -> list[Record]:
        """Return up to ``limit`` records that ended since ``number``, the last to be created first."""
        rows = self._connection.execute(SINCE, (number, oldest_at, *before, limit)).fetchall()
        return [self._record(row) for row in rows]

    def in_flight(self) -> list[Record]:
        """Return the records that are not over, oldest first."""
        query = f"SELECT {COLUMNS} FROM predictions WHERE completed_at IS NULL ORDER BY number"
        return [self._record(row) for row in self._connection.execute(query).fetchall()]

    def untold(self, oldest_at: float, max_records: int, max_bytes: int) -> list[Record]:
        """Return the newest of those whose end is to be told, oldest first, within both limits."""
        records: list[Record] = []
        size_bytes = 0
        rows = self._connection.execute(UNTOLD, (oldest_at, max_records)).fetchall()
        for prediction_id, size in rows:
            size_bytes += size
            if records and size_bytes > max_bytes:
                break
            record = self.find(prediction_id, oldest_at)
            assert record is not None, "one thread alone reads and writes"
            records.append(record)
        return records[::-1]

    def find_number(self, prediction_id: str) -> int | None:
        """Return the number of an id."""
        query = "SELECT number FROM predictions WHERE id = ?"
        row = self._connection.execute(query, (prediction_id,)).fetchone()
        return None if row is None else int(row[0])

    def last_number(self) -> int:
        """Return the largest number, 0 if there is none."""
        query = "SELECT coalesce(max(number), 0) FROM predictions"
        return int(self._connection.execute(query).fetchone()[0])

    def close(self) -> None:
        """Move the log into the file, force all to the disk, and close it."""
        try:
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._connection.close()

    def _put(self, number: int, record: Record, kept: Kept) -> Kept:
        body, has_large_body = _parameter(record.body)
        request, has_large_request = _parameter(record.request)
        values = (
            *(
                number,
                record.id,
                record.status,
                record.created_at,
                record.completed_at,
                record.digest,
            ),
            *(record.size_bytes, body, request, record.webhook),
        )
        statement = _upsert(has_large_body, has_large_request)
        if self._connection.execute(statement, values).rowcount < 1:
            return kept  # It was over already.
        if has_large_body:
            self._fill("body", record.id, record.body)
        if has_large_request:
            self._fill("request", record.id, record.request or b"")
        if not record.is_finished:
            return kept
        return Kept(kept.records + 1, kept.size_bytes + record.size_bytes)

    def _evict(self, kept: Kept, oldest_at: float) -> Kept:
        gone: list[tuple[int]] = []
        rows = self._connection.execute(OLDEST_FIRST)
        for number, completed_at, size_bytes in rows:
            if completed_at >= oldest_at and self._limits.allow(kept.records, kept.size_bytes):
                break
            gone.append((number,))
            kept = Kept(kept.records - 1, kept.size_bytes - size_bytes)
        rows.close()
        if gone:
            self._connection.executemany("DELETE FROM predictions WHERE number = ?", gone)
        return kept

    def _record(self, row: tuple[Any, ...]) -> Record:
        number, prediction_id, status, created_at, completed_at, digest, webhook, *values = row
        body_bytes, body, request_bytes, request = values
        if body is None:
            body = self._read("body", number, body_bytes)
        if request is None and request_bytes is not None:
            request = self._read("request", number, request_bytes)
        return Record(
            prediction_id, status, created_at, completed_at, body, digest, request, webhook
        )

    def _fill(self, column: str, prediction_id: str, value: bytes) -> None:
        number = self.find_number(prediction_id)
        assert number is not None, "a row is filled right after it was put"
        with self._connection.blobopen("predictions", column, number) as blob:
            blob.write(value)

    def _read(self, column: str, number: int, size_bytes: int) -> bytes:
        with self._connection.blobopen("predictions", column, number, readonly=True) as blob:
            return blob.read(size_bytes)


ALIVE = "(completed_at IS NULL OR completed_at >= ?)"
UNTOLD = """
    SELECT id, size FROM predictions
    WHERE webhook IS NOT NULL AND completed_at >= ? ORDER BY completed_at DESC LIMIT ?
"""
FORGET_WEBHOOK = "UPDATE predictions SET webhook = NULL WHERE id = ? AND webhook IS NOT NULL"
# With the plus, no index is used for the times: the numbers are in order already.
PAGE = f"""
    SELECT {COLUMNS} FROM predictions
    WHERE number < ? AND +completed_at >= ? ORDER BY number DESC LIMIT ?
"""
SINCE = f"""
    SELECT {COLUMNS} FROM predictions WHERE number IN (
        SELECT number FROM predictions
        WHERE number >= ? AND +completed_at >= ? AND (created_at, id) < (?, ?)
        ORDER BY created_at DESC, id DESC LIMIT ?
    ) ORDER BY created_at DESC, id DESC
"""
OLDEST_FIRST = """
    SELECT number, completed_at, size FROM predictions
    WHERE completed_at IS NOT NULL ORDER BY completed_at, number
"""


def _parameter(value: bytes | None) -> tuple[bytes | int | None, bool]:
    """Return what to bind for a value, and whether it is large: then its length, to be filled."""
    if value is None or len(value) < LARGE_BYTES:
        return value, False
    return len(value), True


@lru_cache
def _upsert(has_large_body: bool, has_large_request: bool) -> str:
    body = "zeroblob(?)" if has_large_body else "?"
    request = "zeroblob(?)" if has_large_request else "?"
    return f"""
        INSERT INTO predictions
            (number, id, status, created_at, completed_at, digest, size, body, request, webhook)
        VALUES (?, ?, ?, ?, ?, ?, ?, {body}, {request}, ?)
        ON CONFLICT (id) DO UPDATE SET
            number = CASE WHEN excluded.completed_at IS NULL THEN number ELSE excluded.number END,
            status = excluded.status, created_at = excluded.created_at,
            completed_at = excluded.completed_at, digest = excluded.digest, size = excluded.size,
            body = excluded.body, request = excluded.request, webhook = excluded.webhook
        WHERE predictions.completed_at IS NULL
    """
