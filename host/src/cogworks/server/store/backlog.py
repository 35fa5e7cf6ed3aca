"""Records on their way to the disk: the last version of each id, in the order of the first.

One thread puts and finds, another takes and settles. A record stays here until it is safe, so one
that could not be written needs no way back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice

import msgspec

from cogworks.server.store.limits import MIB
from cogworks.server.store.records import Record

MAX_RECORDS = 10_000
MAX_BYTES = 256 * MIB
"""What may wait for a disk that is slow or full; beyond, the oldest that are over are given up."""

BATCH_RECORDS = 500
BATCH_BYTES = 16 * MIB
"""What is written at once: large enough to be cheap, small enough that readers need not wait long."""


@dataclass(frozen=True)
class Batch:
    """What is written at once: records with their numbers; the ids of those whose webhooks are done."""

    records: list[Record]
    numbers: list[int]
    told: list[str]


class Backlog:
    """What waits to be written; ``given_up`` counts the records that there was no room for.

    A record has the number of its first put while it is in flight, and a new one when it is over:
    ``next_number``, which is also set where an earlier file has some already.
    """

    def __init__(self, *, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        """Begin empty."""
        self.given_up = 0
        self.next_number = 1
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: dict[str, Record] = {}
        self._numbers: dict[str, int] = {}
        self._told: dict[str, None] = {}
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
            if earlier is None or record.is_finished:
                self._numbers[record.id] = self.next_number
                self.next_number += 1
            while len(self._records) > self._max_records or self._bytes > self._max_bytes:
                if not self._give_up(record):
                    break

    def forget_webhook(self, prediction_id: str) -> None:
        """Let the news wait that a webhook is done, for a record that waits or has been written."""
        with self._lock:
            record = self._records.get(prediction_id)
            if record is not None and record.webhook is not None:
                # It may be on its way to the disk already, so the file is told all the same.
                told = msgspec.structs.replace(record, webhook=None)
                self._records[prediction_id] = told
                self._bytes += told.size_bytes - record.size_bytes
            self._told[prediction_id] = None
            if len(self._told) > self._max_records:  # Its receiver is told twice, at worst.
                del self._told[next(iter(self._told))]

    def has_more(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self._records or self._told)

    def find(self, prediction_id: str) -> Record | None:
        """Return the record of an id, if it waits."""
        return self._records.get(prediction_id)

    def finished(self) -> list[tuple[int, Record]]:
        """Return all that is over and waits, with its numbers."""
        with self._lock:
            records = [record for record in self._records.values() if record.is_finished]
            return [(self._numbers[record.id], record) for record in records]

    def take(self) -> Batch:
        """Return what is to be written next; it waits on until it is settled."""
        records: list[Record] = []
        size_bytes = 0
        with self._lock:
            for record in islice(self._records.values(), BATCH_RECORDS):
                size_bytes += record.size_bytes
                if records and size_bytes > BATCH_BYTES:
                    break
                records.append(record)
            numbers = [self._numbers[record.id] for record in records]
            return Batch(records, numbers, list(islice(self._told, BATCH_RECORDS)))

    def settle(self, batch: Batch) -> None:
        """Forget what has been written, unless there is a newer version by now."""
        with self._lock:
            for record in batch.records:
                if self._records.get(record.id) is record:
                    self._remove(record)
            for prediction_id in batch.told:
                self._told.pop(prediction_id, None)

    def _give_up(self, newest: Record) -> bool:
        """Drop the oldest record that is over, the newest excepted; tell whether there was one."""
        for record in self._records.values():
            if record.is_finished and record is not newest:
                self._remove(record)
                self.given_up += 1
                return True
        return False

    def _remove(self, record: Record) -> None:
        del self._records[record.id], self._numbers[record.id]
        self._bytes -= record.size_bytes
