"""What happened to one prediction, as server-sent events that any number of clients may follow.

Pure: no tasks, no clock. Events are numbered 1, 2, 3, ... in the order in which they happened. A
subscriber is a position in the one log, not a queue of its own, so a thousand slow clients cost no
more memory than one. It sees consecutive ids up to ``completed``, or, where events that it needs are
gone, exactly one ``error`` event with the number it missed, and then nothing more. The id of that
``error`` is the last one missed: a client that comes back with it continues after the gap.

What is kept is bounded. Outputs cost nothing here, for the prediction itself holds them until its
end; of all other events the newest ``max_bytes`` are kept, the very newest of any size. Events are
written in JSON when the first subscriber wants them, and once for all: without one, a prediction
pays next to nothing for its log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cogworks.errors import CogworksError
from cogworks.server.predictions import (
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Prediction,
    Started,
    Succeeded,
)

DEFAULT_CAPACITY = 1024
"""Events kept for clients that join later. Source: COG_STREAM_HISTORY_CAPACITY of Cog."""

DEFAULT_MAX_BYTES = 8 * 1024 * 1024
"""Bytes of logs and metrics kept, and of written events that are kept for the next subscriber."""

MAX_BEHIND = 16_384
"""Events that a subscriber may be behind, also where fewer are kept for joiners: a quick model can
print thousands of tokens before the event loop gets round to any client."""

MAX_SUBSCRIBERS = 1024
"""Subscribers of one prediction at a time. Source: Cog."""

BATCH_BYTES = 64 * 1024
"""Where a batch of events ends; one event may be longer. The size of uvicorn's write buffer."""

TRUNCATED = "SSE stream replay truncated; events were dropped"
LAGGED = "SSE stream lagged; events were dropped"

_json = msgspec.json.encode


class TooManySubscribersError(CogworksError):
    """As many clients follow the prediction as may; ``limit`` is how many that is."""

    def __init__(self, limit: int) -> None:
        """Say the limit."""
        super().__init__(f"Too many stream subscribers: {limit} follow this prediction already")
        self.limit = limit


class EventLog:
    """The newest events of one prediction; ``observe`` is an observer of its run."""

    def __init__(
        self,
        prediction_id: str,
        body: Callable[[], bytes],
        *,
        capacity: int = DEFAULT_CAPACITY,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_subscribers: int = MAX_SUBSCRIBERS,
    ) -> None:
        """Begin with nothing.

        Args:
            prediction_id: what the ``start`` event names.
            body: returns the finished prediction in JSON without line breaks; asked after the end.
            capacity: events kept for joiners; 0 shows them only what happens from then on.
            max_bytes: see ``DEFAULT_MAX_BYTES``.
            max_subscribers: how many may follow at a time.
        """
        self._prediction_id = prediction_id
        self._body = body
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._max_subscribers = max_subscribers
        self._entries: dict[int, _Entry] = {}
        self._entries_bytes = 0
        self._first_id = 1
        self._last_id = 0
        self._is_ended = False
        self._written: dict[int, bytes] = {}
        self._written_bytes = 0
        self._batch = _Batch(0, 0, [])
        self._subscribers: set[Subscription] = set()
        self._waiting: dict[Subscription, Callable[[], None]] = {}

    @classmethod
    def finished(cls, body: bytes) -> EventLog:
        """Return the log of a prediction of which only its final ``body`` is left: ``completed``."""
        log = cls("", lambda: body)
        log._add(_Completed(), is_end=True)
        return log

    @property
    def subscriber_count(self) -> int:
        """Return how many follow now."""
        return len(self._subscribers)

    def observe(self, prediction: Prediction, event: Event) -> None:
        """Add what just happened, and wake the subscribers that wait for it."""
        match event:
            case MetricRecorded(name, value, mode):
                # Written at once: a later metric may change a nested value in place.
                data = _json({"name": name, "value": value, "mode": mode})
                self._add(_write(self._last_id + 1, b"metric", data))
            case Succeeded() | Failed() | Canceled():
                self._add(_Completed(), is_end=True)
            case _:
                self._add(event)

    def subscribe(self, after: int | None = None) -> Subscription:
        """Follow from the event after ``after``, or from the first; close the subscription at the end.

        An id that this log has not reached is of another run, so all is shown.

        Raises:
            TooManySubscribersError: too many follow already.
        """
        if len(self._subscribers) >= self._max_subscribers:
            raise TooManySubscribersError(self._max_subscribers)
        if after is None or not 0 <= after <= self._last_id:
            after = 0 if self._capacity else self._last_id - self._is_ended
        subscription = Subscription(self, after, is_truncated=after + 1 < self._first_id)
        self._subscribers.add(subscription)
        return subscription

    def cut(self) -> None:
        """End every stream as it is: the prediction goes on elsewhere, where clients may come back."""
        for subscription in self._subscribers:
            subscription.is_over = True
        self._wake_all()

    def _add(self, entry: _Entry, is_end: bool = False) -> None:
        self._last_id += 1
        self._entries[self._last_id] = entry
        self._entries_bytes += _size(entry)
        self._is_ended = is_end
        self._trim()
        if self._waiting:
            self._wake_all()

    def _wake_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for wake in waiting.values():
            wake()

    def _trim(self) -> None:
        """Forget the oldest events beyond the limits; the end of the prediction is never forgotten.

        Neither is the newest event, however big, as long as somebody may want it.
        """
        limit = max(self._capacity, MAX_BEHIND) if self._subscribers else self._capacity
        entries = self._entries
        least = 1 if limit or self._is_ended else 0
        while len(entries) > least and (
            len(entries) > limit or self._entries_bytes > self._max_bytes
        ):
            self._entries_bytes -= _size(entries.pop(self._first_id))
            self._written_bytes -= len(self._written.pop(self._first_id, b""))
            self._first_id += 1

    def _read(self, subscription: Subscription) -> list[bytes]:
        start = subscription.position + 1
        if start < self._first_id:
            text = TRUNCATED if subscription.is_truncated else LAGGED
            data = _json({"error": text, "skipped": self._first_id - start})
            subscription.position = self._first_id - 1
            subscription.is_over = True
            return [_write(subscription.position, b"error", data)]
        if start > self._last_id:
            return []
        if start != self._batch.start:
            self._batch = self._collect(start)
        subscription.position = self._batch.end
        subscription.is_over = self._is_ended and self._batch.end == self._last_id
        return self._batch.parts

    def _collect(self, start: int) -> _Batch:
        """Join events from ``start`` on; subscribers that keep step share the result."""
        parts: list[bytes] = []
        size = 0
        event_id = start
        while event_id <= self._last_id and size < BATCH_BYTES:
            entry = self._entries[event_id]
            if isinstance(entry, _Completed):
                end = self._write_completed(event_id)
                size += sum(map(len, end))
                # A big object is not copied.
                joined = (
                    [b"".join([*parts, *end])] if size <= BATCH_BYTES else [b"".join(parts), *end]
                )
                return _Batch(start, event_id, [part for part in joined if part])
            parts.append(self._write_entry(event_id, entry))
            size += len(parts[-1])
            event_id += 1
        return _Batch(start, event_id - 1, [b"".join(parts)])

    def _write_completed(self, event_id: int) -> list[bytes]:
        return [b"id: %d\nevent: completed\ndata: " % event_id, self._body(), b"\n\n"]

    def _write_entry(self, event_id: int, entry: Started | OutputAdded | LogAdded | bytes) -> bytes:
        if isinstance(entry, bytes):
            return entry
        written = self._written.get(event_id)
        if written is None:
            written = _write(event_id, *self._describe(entry))
            self._written[event_id] = written
            self._written_bytes += len(written)
            while self._written_bytes > self._max_bytes and len(self._written) > 1:
                oldest = next(iter(self._written))
                self._written_bytes -= len(self._written.pop(oldest))
        return written

    def _describe(self, event: Started | OutputAdded | LogAdded) -> tuple[bytes, bytes]:
        """Return the name and the data of an event. Source: the event table of Cog's runtime."""
        match event:
            case OutputAdded(index, value):
                return b"output", _json({"chunk": value, "index": index})
            case LogAdded(source, text):
                return b"log", _json({"source": source, "data": text})
            case Started():
                return b"start", _json({"id": self._prediction_id, "status": "processing"})

    def _wake_later(self, subscription: Subscription, wake: Callable[[], None]) -> None:
        if subscription.is_over or subscription.position < self._last_id:
            wake()
        else:
            self._waiting[subscription] = wake

    def _leave(self, subscription: Subscription) -> None:
        self._waiting.pop(subscription, None)
        self._subscribers.discard(subscription)
        if not self._subscribers:
            self._trim()


class Subscription:
    """A client's place in a log; ``position`` is the id of the last event it was given."""

    __slots__ = ("_log", "is_over", "is_truncated", "position")

    def __init__(self, log: EventLog, after: int, *, is_truncated: bool) -> None:
        """Stand after event ``after``; ``is_truncated`` tells that events were gone from the start."""
        self._log = log
        self.position = after
        self.is_truncated = is_truncated
        self.is_over = log._is_ended and after == log._last_id

    def read(self) -> list[bytes]:
        """Return what comes next, about 64 KiB at a time, as pieces of text; empty: nothing yet.

        After the last event ``is_over`` is true and nothing comes any more.
        """
        return [] if self.is_over else self._log._read(self)

    def wake_when_ready(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when there is something to read; at once if there is already."""
        self._log._wake_later(self, wake)

    def close(self) -> None:
        """Leave the log; again does nothing."""
        self.is_over = True
        self._log._leave(self)


class _Completed:
    """The end of a prediction; its object is written when somebody reads it."""

    __slots__ = ()


_Entry = Started | OutputAdded | LogAdded | bytes | _Completed


class _Batch(msgspec.Struct, frozen=True):
    """Events ``start`` to ``end``, as pieces of text."""

    start: int
    end: int
    parts: list[bytes]


def _write(event_id: int, name: bytes, data: bytes) -> bytes:
    """Write one event. Source: HTML Living Standard, "Interpreting an event stream"."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event_id, name, data)


def _size(entry: Any) -> int:
    """Return what an entry costs beyond what the prediction holds anyway."""
    if isinstance(entry, bytes):
        return len(entry)
    return len(entry.text) if isinstance(entry, LogAdded) else 0
