"""The life of a worker as a state machine: no I/O, no clock.

Events go in, actions come out; the supervisor turns real processes into the former and the latter
into real processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BACKOFF_S = (0.0, 0.5, 2.0)
"""Wait before the first, second, … restart in a row; the last one holds for all further ones."""


class WorkerState(StrEnum):
    """Where a worker stands."""

    STARTING = "starting"  # The process runs; setup has not finished.
    READY = "ready"  # Predictions may come.
    WAITING = "waiting"  # It died; the next one is due.
    SETUP_FAILED = "setup failed"  # The model cannot be set up; another try would not help.
    DEFUNCT = "defunct"  # It died too often in a row.
    STOPPED = "stopped"  # It was asked to end.

    __hash__ = str.__hash__  # An enum's own is written in Python.


@dataclass(frozen=True)
class SetUp:
    """Setup has finished."""


@dataclass(frozen=True)
class SetupBroke:
    """Setup failed, or took too long."""


@dataclass(frozen=True)
class Died:
    """The process has ended."""


@dataclass(frozen=True)
class Restarted:
    """A new process was started in the place of the dead one."""


@dataclass(frozen=True)
class Succeeded:
    """A prediction ended without the worker dying of it."""


@dataclass(frozen=True)
class Stopped:
    """Somebody wants the worker to end for good."""


Event = SetUp | SetupBroke | Died | Restarted | Succeeded | Stopped


@dataclass(frozen=True)
class Restart:
    """Start a new process ``after_s`` seconds from now."""

    after_s: float


TRANSITIONS: dict[tuple[WorkerState, type], WorkerState] = {
    (WorkerState.STARTING, SetUp): WorkerState.READY,
    (WorkerState.STARTING, SetupBroke): WorkerState.SETUP_FAILED,
    (WorkerState.STARTING, Died): WorkerState.WAITING,
    (WorkerState.READY, Died): WorkerState.WAITING,
    (WorkerState.READY, Succeeded): WorkerState.READY,
    (WorkerState.WAITING, Restarted): WorkerState.STARTING,
    (WorkerState.SETUP_FAILED, Died): WorkerState.SETUP_FAILED,
    (WorkerState.STOPPED, Died): WorkerState.STOPPED,
    **{(state, Stopped): WorkerState.STOPPED for state in WorkerState},
}
"""Where each event leads; a death leads to DEFUNCT instead when it is one too many."""


class IllegalEventError(Exception):
    """An event that the state does not allow; nothing was changed."""


class Lifecycle:
    """One worker's state, over all the processes that succeed each other."""

    def __init__(self, max_deaths: int) -> None:
        """Begin with a process that starts; give up after ``max_deaths`` deaths in a row."""
        self.state = WorkerState.STARTING
        self._max_deaths = max_deaths
        self._deaths = 0

    @property
    def has_deaths(self) -> bool:
        """Tell whether the last process died, and nothing has succeeded since."""
        return self._deaths > 0

    def handle(self, event: Event) -> list[Restart]:
        """Apply one event; return what must be done now.

        Raises:
            IllegalEventError: the state does not allow it.
        """
        state = TRANSITIONS.get((self.state, type(event)))
        if state is None:
            raise IllegalEventError(f"{type(event).__name__} while {self.state.value}")
        actions: list[Restart] = []
        if isinstance(event, Succeeded):
            self._deaths = 0
        if state is WorkerState.WAITING:
            self._deaths += 1
            if self._deaths >= self._max_deaths:
                state = WorkerState.DEFUNCT
            else:
                actions = [Restart(BACKOFF_S[min(self._deaths, len(BACKOFF_S)) - 1])]
        self.state = state
        return actions
