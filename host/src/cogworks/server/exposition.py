"""Write the metrics as Prometheus reads them; imports its library, so it is imported late."""

from __future__ import annotations

import platform
import resource
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cogworks import _version
from cogworks.server.metrics import Distribution, Levels, Metrics


def expose(metrics: Metrics, levels: Levels) -> bytes:
    """Return the metrics of the server, and those of its process where there is a ``/proc``."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(metrics, levels))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Snapshot(Collector):
    """The metrics at one moment; a registry of its own holds them for one answer."""

    def __init__(self, metrics: Metrics, levels: Levels) -> None:
        self._metrics = metrics
        self._levels = levels

    def describe(self) -> list[Metric]:
        """Return nothing: names cannot clash in a registry that is made for one answer."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family, under the name that ``docs/operations.md`` gives it."""
        yield from self._levels_now()
        yield from self._counters()
        yield from self._distributions()

    def _levels_now(self) -> Iterator[Metric]:
        now = self._levels
        yield _gauge("queue_depth", "Predictions that wait for a slot.", now.queue_depth)
        yield _gauge("slots", "Predictions that can run at once.", now.slots)
        yield _gauge("slots_busy", "Slots that a prediction has.", now.slots_busy)
        yield _gauge("ready", "1 if predictions may come, else 0.", now.is_ready)
        yield _gauge(
            "stream_subscribers", "Clients that follow a prediction now.", now.stream_subscribers
        )
        memory = GaugeMetricFamily(
            "cogworks_worker_resident_memory_bytes",
            "Memory of a worker's own process, without what it has started.",
            labels=["worker"],
        )
        for number, pid in enumerate(now.worker_pids):
            if (size_bytes := find_resident_bytes(pid)) is not None:
                memory.add_metric([str(number)], size_bytes)
        yield memory
        build = GaugeMetricFamily(
            "cogworks_build_info", "1; its labels say what runs.", labels=["version", "python"]
        )
        build.add_metric([_version.__version__, platform.python_version()], 1)
        yield build

    def _counters(self) -> Iterator[Metric]:
        metrics = self._metrics
        predictions = {status.value: count for status, count in metrics.predictions.items()}
        # Copied in one step: the event loop may add a status meanwhile.
        responses = {str(status): count for status, count in dict(metrics.responses).items()}
        yield _counter_by("predictions", "Predictions that have ended.", "status", predictions)
        yield _counter_by("http_responses", "Answers by HTTP status.", "code", responses)
        yield _counter(
            "upload_failures", "Output files that could not be uploaded.", metrics.upload_failures
        )
        yield _counter("webhook_failures", "Webhooks given up.", metrics.webhook_failures)
        yield _counter(
            "worker_restarts", "Workers that followed a dead one.", metrics.worker_restarts
        )

    def _distributions(self) -> Iterator[Metric]:
        metrics = self._metrics
        yield _histogram(
            "predict_seconds", "How long predictions ran in a worker.", metrics.predict_seconds
        )
        yield _histogram(
            "queue_seconds", "How long predictions waited for a slot.", metrics.queue_seconds
        )
        setups = HistogramMetricFamily(
            "cogworks_setup_seconds", "How long workers took to be ready.", labels=["result"]
        )
        for result, distribution in metrics.setup_seconds.items():
            setups.add_metric([result], _buckets(distribution), distribution.total)
        yield setups
        yield _histogram("request_bytes", "Sizes of requests' bodies.", metrics.request_bytes)
        yield _histogram("response_bytes", "Sizes of answers' bodies.", metrics.response_bytes)
        yield _histogram(
            "event_loop_lag_seconds",
            "How late the server's event loop was.",
            metrics.loop_lag_seconds,
        )


def find_resident_bytes(pid: int | None) -> int | None:
    """Return the resident set size of a process, if there is one, and a ``/proc``. Source: proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * resource.getpagesize()


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cogworks_{name}", help, value=value)


def _counter(name: str, help: str, value: float) -> Metric:
    return CounterMetricFamily(f"cogworks_{name}", help, value=value)


def _counter_by(name: str, help: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"cogworks_{name}", help, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, help: str, distribution: Distribution) -> Metric:
    return HistogramMetricFamily(
        f"cogworks_{name}", help, buckets=_buckets(distribution), sum_value=distribution.total
    )


def _buckets(distribution: Distribution) -> list[tuple[str, float]]:
    ends = [*(str(bound) for bound in distribution.bounds), "+Inf"]
    return list(zip(ends, accumulate(distribution.counts), strict=True))
