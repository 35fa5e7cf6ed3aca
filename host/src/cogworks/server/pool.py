"""The workers of one server and their slots."""

from __future__ import annotations

from collections.abc import Iterable

from cogworks.server.lifecycle import WorkerState
from cogworks.server.supervisor import Supervisor


class Pool:
    """Knows which worker has room; a slot is one prediction at a time."""

    def __init__(self, workers: Iterable[Supervisor]) -> None:
        """Begin with every slot free."""
        self.workers = tuple(workers)
        self._taken = dict.fromkeys(self.workers, 0)

    @property
    def ready_workers(self) -> list[Supervisor]:
        """Return the workers that have been set up."""
        return [worker for worker in self.workers if worker.state is WorkerState.READY]

    def is_ready(self) -> bool:
        """Tell whether any worker can take predictions, now or when it has room."""
        return any(worker.state is WorkerState.READY for worker in self.workers)

    def is_full(self) -> bool:
        """Tell whether no ready worker has a free slot."""
        return self.find_worker() is None

    def find_worker(self) -> Supervisor | None:
        """Return the ready worker with the fewest predictions, if one has room."""
        best: Supervisor | None = None
        for worker in self.workers:
            if (
                worker.state is WorkerState.READY
                and worker.ready is not None
                and self._taken[worker] < worker.ready.slots
                and (best is None or self._taken[worker] < self._taken[best])
            ):
                best = worker
        return best

    def acquire(self, worker: Supervisor) -> None:
        """Take a slot of a worker that has one."""
        self._taken[worker] += 1

    def release(self, worker: Supervisor) -> None:
        """Give a slot back."""
        self._taken[worker] -= 1

    def taken(self, worker: Supervisor) -> int:
        """Return how many predictions a worker has."""
        return self._taken[worker]
