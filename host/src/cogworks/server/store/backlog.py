"""Records on their way to the disk: the last version of each id, in the order of the first.

One thread puts and finds, another takes and settles. A record stays here until it is safe, so one
that could not be written needs no way back.
"""

from __future__ import annotations

import threading
from itertools import islice

from cogworks.server.store.limits import MIB
from cogworks.server.store.records import Record

MAX_RECORDS = 10_000
MAX_BYTES = 256 * MIB
"""What may wait for a disk that is slow or full; beyond, the oldest that are over are given up."""

BATCH_RECORDS = 500
BATCH_BYTES = 16 * MIB
"""What is written at once: large enough to be cheap, small enough that readers need not wait long."""


class Backlog:
    """What waits to be written; ``given_up`` counts the records that there was no room for."""

    def __init__(self, *, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        """Begin empty."""
        self.given_up = 0
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: dict[str, Record] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: Record) -> None:
        """Let a record wait, in place of an earlier version of it."""
        with self._lock:
            earlier = self._records.get(record.id)
            if earlier is not None:
                if earlier.is_finished:
                    return
                self._bytes -= earlier.size_bytes
            self._records[record.id] = record
            self._bytes += record.size_bytes
            while len(self._records) > self._max_records or self._bytes > self._max_bytes:
                if not self._give_up(record):
                    break

    def find(self, prediction_id: str) -> Record | None:
        """Return the record of an id, if it waits."""
        return self._records.get(prediction_id)

    def all(self) -> list[Record]:
        """Return all that waits, in order."""
        with self._lock:
            return list(self._records.values())

    def take(self) -> list[Record]:
        """Return the next ones to write; they wait on until they are settled."""
        batch: list[Record] = []
        size_bytes = 0
        with self._lock:
            for record in islice(self._records.values(), BATCH_RECORDS):
                size_bytes += record.size_bytes
                if batch and size_bytes > BATCH_BYTES:
                    break
                batch.append(record)
        return batch

    def settle(self, batch: list[Record]) -> None:
        """Forget what has been written, unless there is a newer version by now."""
        with self._lock:
            for record in batch:
                if self._records.get(record.id) is record:
                    del self._records[record.id]
                    self._bytes -= record.size_bytes

    def _give_up(self, newest: Record) -> bool:
        """Drop the oldest record that is over, the newest excepted; tell whether there was one."""
        for record in self._records.values():
            if record.is_finished and record is not newest:
                del self._records[record.id]
                self._bytes -= record.size_bytes
                self.given_up += 1
                return True
        return False
