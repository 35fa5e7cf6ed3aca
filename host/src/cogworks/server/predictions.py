"""A prediction as a state machine: no I/O, no clock.

Frozen events go in; ``TRANSITIONS`` says which are legal when and what they lead to. Whoever
observes a prediction is told the events that were accepted, in order, so that a response, a
terminal and a log can never disagree. The first terminal state wins: it has no row in the table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from cog._schema.kinds import is_dict, is_list

MAX_LOG_CHARACTERS = 16 * 1024 * 1024
"""How much of a prediction's logs is kept; the rest is replaced by one line that says so."""


class Status(StrEnum):
    """Where a prediction stands."""

    STARTING = "starting"  # Accepted; the worker has not been asked yet.
    PROCESSING = "processing"  # The worker has it.
    SUCCEEDED = "succeeded"  # The model returned.
    FAILED = "failed"  # The model raised, the worker died, or the output could not be delivered.
    CANCELED = "canceled"  # Somebody asked for its end, and it ended.

    __hash__ = str.__hash__  # An enum's own is written in Python, and every event looks it up.

    @property
    def is_terminal(self) -> bool:
        """Tell whether nothing can happen any more."""
        return self not in (Status.STARTING, Status.PROCESSING)


class Started(msgspec.Struct, frozen=True):
    """The worker was asked; ``at`` in seconds since the epoch, as in all events."""

    at: float


class OutputAdded(msgspec.Struct, frozen=True):
    """The model yielded item ``index``."""

    index: int
    value: Any


class LogAdded(msgspec.Struct, frozen=True):
    """The model printed ``text`` on ``source`` (``stdout`` or ``stderr``)."""

    source: str
    text: str


class MetricRecorded(msgspec.Struct, frozen=True):
    """The model measured something; ``mode`` is ``replace``, ``increment``, ``append`` or ``delete``."""

    name: str
    value: Any
    mode: str


class Succeeded(msgspec.Struct, frozen=True):
    """The model returned ``output``; ``streamed`` if it came piece by piece before.

    ``has_files`` tells that it is, or holds, what was a file of the model.
    """

    at: float
    output: Any = None
    streamed: bool = False
    has_files: bool = False


class Failed(msgspec.Struct, frozen=True):
    """It ended without a result; ``error`` says why."""

    at: float
    error: str


class Canceled(msgspec.Struct, frozen=True):
    """It ended because somebody asked for that."""

    at: float


Event = Started | OutputAdded | LogAdded | MetricRecorded | Succeeded | Failed | Canceled

TRANSITIONS: dict[tuple[Status, type], Status] = {
    (Status.STARTING, Started): Status.PROCESSING,
    (Status.STARTING, Failed): Status.FAILED,
    (Status.STARTING, Canceled): Status.CANCELED,
    (Status.PROCESSING, OutputAdded): Status.PROCESSING,
    (Status.PROCESSING, LogAdded): Status.PROCESSING,
    (Status.PROCESSING, MetricRecorded): Status.PROCESSING,
    (Status.PROCESSING, Succeeded): Status.SUCCEEDED,
    (Status.PROCESSING, Failed): Status.FAILED,
    (Status.PROCESSING, Canceled): Status.CANCELED,
}


class ProtocolError(Exception):
    """An event that the state does not allow; nothing was changed."""

    def __init__(self, prediction_id: str, status: Status, event: Event) -> None:
        """Keep what clashed."""
        super().__init__(
            f"prediction {prediction_id} is {status.value}: {type(event).__name__} is not possible"
        )


class Prediction(msgspec.Struct):
    """One prediction and all that is known of it.

    ``input`` is what clients are shown (secrets redacted already), ``created_at`` in seconds
    since the epoch. Only ``handle`` changes it.
    """

    id: str
    input: dict[str, Any]
    created_at: float
    context: dict[str, str] = {}  # Each has one of its own: msgspec copies empty defaults.
    version: str | None = None
    status: Status = Status.STARTING
    output: Any = None
    error: str | None = None
    started_at: float | None = None
    completed_at: float | None = None
    metrics: dict[str, Any] = {}
    _items: list[Any] = []
    _logs: list[str] = []
    _log_characters: int = 0

    def handle(self, event: Event) -> None:
        """Apply one event.

        Raises:
            ProtocolError: the state does not allow it.
        """
        status = TRANSITIONS.get((self.status, type(event)))
        if status is None:
            raise ProtocolError(self.id, self.status, event)
        self._apply(event)
        self.status = status

    @property
    def is_terminal(self) -> bool:
        """Tell whether the prediction is over."""
        return self.completed_at is not None

    @property
    def logs(self) -> str:
        """Return what the model printed so far."""
        if len(self._logs) > 1:
            self._logs = ["".join(self._logs)]
        return self._logs[0] if self._logs else ""

    def snapshot(self) -> dict[str, Any]:
        """Return the object that clients see, the same everywhere; JSON data."""
        is_growing = self.output is self._items and not self.is_terminal
        data: dict[str, Any] = {
            "id": self.id,
            "status": self.status.value,
            "input": self.input,
            "output": list(self._items) if is_growing else self.output,
            "logs": self.logs,
            "error": self.error,
            "metrics": self._all_metrics(),
            "created_at": iso_time(self.created_at),
            "started_at": iso_time(self.started_at),
            "completed_at": iso_time(self.completed_at),
        }
        if self.version is not None:
            data["version"] = self.version
        return data

    def _apply(self, event: Event) -> None:
        match event:
            case Started(at):
                self.started_at = at
            case Succeeded(at, output, streamed):
                self.output = self._items if streamed else output
                self.completed_at = at
            case OutputAdded(_, value):
                self._items.append(value)
                self.output = self._items
            case LogAdded(_, text):
                self._add_log(text)
            case MetricRecorded(name, value, mode):
                _record(self.metrics, name, value, mode)
            case Failed(at, error):
                self.error = error
                self.completed_at = at
            case Canceled(at):
                self.completed_at = at

    def _add_log(self, text: str) -> None:
        room = MAX_LOG_CHARACTERS - self._log_characters
        self._log_characters += len(text)
        if len(text) <= room:
            self._logs.append(text)
        elif room >= 0:
            self._logs.append(
                f"{text[:room]}\n[logs cut: more than {MAX_LOG_CHARACTERS} characters]\n"
            )

    def _all_metrics(self) -> dict[str, Any]:
        if self.completed_at is None:
            return self.metrics
        began_at = self.completed_at if self.started_at is None else self.started_at
        return {**self.metrics, "predict_time": self.completed_at - began_at}


def _record(metrics: dict[str, Any], name: str, value: Any, mode: str) -> None:
    """Put a metric in its place; dots in its name make nested objects."""
    *path, leaf = name.split(".")
    for part in path:
        below = metrics.get(part)
        if not is_dict(below):
            below = metrics[part] = {}
        metrics = below
    if mode == "delete":
        metrics.pop(leaf, None)
    elif mode == "increment":
        metrics[leaf] = metrics.get(leaf, 0) + value
    elif mode == "append":
        present = metrics.get(leaf, [])
        metrics[leaf] = [*(present if is_list(present) else [present]), value]
    else:
        metrics[leaf] = value


def iso_time(at: float | None) -> str | None:
    """Write a time as UTC ISO 8601 with microseconds."""
    if at is None:
        return None
    seconds = int(at)
    return "%s.%06d+00:00" % (_iso_seconds(seconds), (at - seconds) * 1_000_000)  # noqa: UP031 - quicker


def parse_iso_time(text: str | None) -> float | None:
    """Read what ``iso_time`` wrote."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


@lru_cache(maxsize=16)
def _iso_seconds(seconds: int) -> str:
    """Write whole seconds; cached, as many predictions fall into the same one."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
