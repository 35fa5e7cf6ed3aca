"""What a webhook is still to be told of one prediction: no I/O, no clock.

At most three messages wait: the start, one update, and the end. An update shows the prediction as
it is when it is taken, so however slow the receiver, there is nothing to pile up. Updates come at
most once per interval; the last one is never lost: it is sent when the interval is over, or the
end, which shows all of it, is sent instead.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from cog._schema.kinds import is_list
from cogworks.server.predictions import (
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Started,
    Status,
    Succeeded,
)
from cogworks.server.run import Run

START, OUTPUT, LOGS, COMPLETED = "start", "output", "logs", "completed"
"""What a client may ask to be told. Source: the ``webhook_events_filter`` of a request."""


class Kind(StrEnum):
    """What a message tells."""

    START = "start"  # A worker has it.
    UPDATE = "update"  # It has new output or logs.
    END = "end"  # It is over.


class Message(NamedTuple):
    """One body to be sent: the prediction in JSON."""

    kind: Kind
    body: bytes


class Outbox:
    """Collects a run's events and says what to send when; times are seconds of any one clock."""

    def __init__(self, run: Run | None, events: frozenset[str], interval_s: float) -> None:
        """Begin empty; ``events`` are those that the client wants to be told of."""
        self._run = run
        self._events = events
        self._interval_s = interval_s
        self._start: dict[str, Any] | None = None
        self._has_update = False
        self._last: dict[str, Any] | None = None
        self._end: bytes | None = None
        self._next_update_s = float("-inf")
        self.is_over = False

    @classmethod
    def of_end(cls, body: bytes) -> Outbox:
        """Return the outbox of a prediction that is over, of which only the end is to be sent."""
        outbox = cls(None, frozenset(), 0.0)
        outbox._end = body
        outbox.is_over = True
        return outbox

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to send, now or later, until the next event."""
        return self._start is None and self._end is None and not self._has_update

    @property
    def size_bytes(self) -> int:
        """Return the size of the last message, as far as it is written already."""
        return len(self._end) if self._end is not None else 0

    @property
    def end(self) -> bytes | None:
        """Return the last message's body while it has not been taken."""
        return self._end

    def handle(self, event: Event) -> None:
        """Note an event that has just changed the prediction."""
        match event:
            case OutputAdded():
                self._has_update = self._has_update or OUTPUT in self._events
            case LogAdded():
                self._has_update = self._has_update or LOGS in self._events
            case MetricRecorded():
                pass
            case Started():
                if START in self._events:
                    # Metrics are the only part of a snapshot that later events change.
                    self._start = {**self._snapshot(), "metrics": {}}
            case Succeeded() | Failed() | Canceled():
                self._finish(event)

    def hurry(self) -> None:
        """Send what waits for its interval at once, from now on."""
        self._interval_s = 0.0
        self._next_update_s = float("-inf")

    def wait_s(self, now_s: float) -> float | None:
        """Return the seconds until there is a message to take; None if there is none to wait for."""
        if self.is_empty:
            return None
        if self._start is not None or self.is_over:
            return 0.0
        return max(0.0, self._next_update_s - now_s)

    def take(self, now_s: float) -> Message:
        """Return the next message, which is thereby no longer in here."""
        if self._start is not None:
            start, self._start = self._start, None
            return Message(Kind.START, msgspec.json.encode(start))
        if self._end is not None:
            end, self._end = self._end, None
            return Message(Kind.END, end)
        assert self._has_update
        self._has_update = False
        self._next_update_s = now_s + self._interval_s
        if self._last is not None:
            last, self._last = self._last, None
            return Message(Kind.UPDATE, msgspec.json.encode(last))
        assert self._run is not None
        return Message(Kind.UPDATE, self._run.body())

    def _finish(self, event: Succeeded | Failed | Canceled) -> None:
        assert self._run is not None
        self.is_over = True
        if COMPLETED in self._events:
            self._has_update = False  # The end shows it all.
            self._end = self._run.body()
        else:
            self._note_last(event)
        self._run = None  # What waits for a slow receiver shall be no larger than it must.

    def _note_last(self, event: Succeeded | Failed | Canceled) -> None:
        """Keep the last update: the end itself, which was not asked for, must not show in it."""
        is_single = isinstance(event, Succeeded) and not event.streamed
        has_files = isinstance(event, Succeeded) and event.has_files
        snapshot = self._snapshot()
        if is_single and OUTPUT in self._events and (has_files or is_list(snapshot["output"])):
            # A list that came as a whole has items nevertheless; a file is told of like an item.
            self._has_update = True
        elif is_single:
            snapshot["output"] = None
        if self._has_update:
            snapshot["metrics"].pop("predict_time", None)
            snapshot.update(status=Status.PROCESSING.value, error=None, completed_at=None)
            self._last = snapshot

    def _snapshot(self) -> dict[str, Any]:
        assert self._run is not None
        return self._run.snapshot()
