"""What metrics show of the present moment: looked up when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from cogworks.server.dispatch import Dispatcher
from cogworks.server.metrics import Levels
from cogworks.server.run import Run


def read_levels(dispatcher: Dispatcher, runs: Iterable[Run], *, is_ready: bool) -> Levels:
    """Look at the workers, the queue, and the streams of ``runs``."""
    pool = dispatcher.pool
    ready = pool.ready_workers
    return Levels(
        queue_depth=dispatcher.queue_depth,
        slots=sum(worker.ready.slots for worker in ready if worker.ready is not None),
        slots_busy=sum(pool.taken(worker) for worker in ready),
        is_ready=is_ready,
        stream_subscribers=sum(
            run.event_log.subscriber_count for run in runs if run.event_log is not None
        ),
        worker_pids=tuple(worker.pid for worker in pool.workers),
    )
