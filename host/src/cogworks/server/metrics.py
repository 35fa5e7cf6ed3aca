"""What is measured of the server: counted on the event loop for next to nothing, shown when asked.

The counters are plain numbers of one thread. A prediction pays for its own increments alone; all
that Prometheus wants besides is made when it comes for it (``cogworks.server.exposition``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from cogworks.server.predictions import Prediction, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of what ``render`` returns. Source: Prometheus, exposition formats."""

PREDICT_BOUNDS_S = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
SETUP_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
LAG_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SIZE_BOUNDS_BYTES = tuple(float(4**power) for power in range(4, 16))  # 256 B to 1 GiB.


COUNTED_FROM_ZERO: tuple[int, ...] = (200, 202, 409, 422, 429, 500, 503)
"""Statuses that are shown before there is any: Prometheus sees no increase where a series begins."""


class Distribution:
    """How often values fell into which range; ``bounds`` are the ranges' inclusive upper ends."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin empty; what exceeds the last of ``bounds`` has a range of its own."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(frozen=True)
class Levels:
    """What is not counted but looked up at the time of a scrape.

    ``worker_pids`` are the processes of the workers, in order; None for one that has none now.
    """

    queue_depth: int
    slots: int
    slots_busy: int
    is_ready: bool = False
    stream_subscribers: int = 0
    worker_pids: tuple[int | None, ...] = ()


class Metrics:
    """The counters of one server; only the event loop writes them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.predictions = {status: 0 for status in Status if status.is_terminal}
        self.responses: dict[int, int] = dict.fromkeys(COUNTED_FROM_ZERO, 0)
        self.predict_seconds = Distribution(PREDICT_BOUNDS_S)
        self.queue_seconds = Distribution(PREDICT_BOUNDS_S)
        self.setup_seconds = {
            "succeeded": Distribution(SETUP_BOUNDS_S),
            "failed": Distribution(SETUP_BOUNDS_S),
        }
        self.request_bytes = Distribution(SIZE_BOUNDS_BYTES)
        self.response_bytes = Distribution(SIZE_BOUNDS_BYTES)
        self.loop_lag_seconds = Distribution(LAG_BOUNDS_S)
        self.webhook_failures = 0
        self.upload_failures = 0
        self.worker_restarts = 0

    def record_end(self, prediction: Prediction) -> None:
        """Count a prediction that is over, and how long it waited and ran if it ever began."""
        self.predictions[prediction.status] += 1
        started_at = prediction.started_at
        if started_at is not None and prediction.completed_at is not None:
            # A clock that is set back must not take from the totals.
            self.queue_seconds.observe(max(started_at - prediction.created_at, 0.0))
            self.predict_seconds.observe(max(prediction.completed_at - started_at, 0.0))

    def record_response(self, status: int, request_bytes: int, response_bytes: int) -> None:
        """Count an answer, with the sizes of both bodies."""
        self.responses[status] = self.responses.get(status, 0) + 1
        self.request_bytes.observe(request_bytes)
        self.response_bytes.observe(response_bytes)

    def record_setup(self, seconds: float, *, succeeded: bool) -> None:
        """Count a setup of a worker that has ended, one way or the other."""
        self.setup_seconds["succeeded" if succeeded else "failed"].observe(max(seconds, 0.0))

    def record_loop_lag(self, seconds: float) -> None:
        """Count by how much the event loop was late."""
        self.loop_lag_seconds.observe(seconds)

    def record_webhook_failure(self) -> None:
        """Count a webhook that was given up."""
        self.webhook_failures += 1

    def record_upload_failure(self) -> None:
        """Count an output file that could not be uploaded."""
        self.upload_failures += 1

    def record_worker_restart(self) -> None:
        """Count a worker that was started in the place of one that died."""
        self.worker_restarts += 1

    def render(self, levels: Levels) -> bytes:
        """Return everything in the text format; to be called in a thread, it takes milliseconds.

        The first call takes about 0.1 s more: only whoever scrapes pays for Prometheus' library.
        """
        from cogworks.server.exposition import expose

        return expose(self, levels)
