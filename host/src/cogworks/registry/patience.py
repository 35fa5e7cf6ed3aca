"""When to try again, and how long to wait before: five tries, twice the wait each time, with jitter."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cogworks.registry.errors import AnswerError, RegistryError, UnreachableError

T = TypeVar("T")

TRIES = 5
FIRST_WAIT_S = 0.5
WAIT_MAX_S = 20.0
RETRY_AFTER_MAX_S = 60.0
"""A registry that wants a longer pause than this gets none: its answer is the result."""


NEVER = threading.Event()
"""For waits that nobody ends early."""


def pause(seconds: float, stop: threading.Event) -> None:
    """Wait, but not on after somebody has said stop."""
    stop.wait(seconds)


@dataclass(frozen=True)
class Patience:
    """How often and after which waits something is tried again."""

    tries: int = TRIES
    first_wait_s: float = FIRST_WAIT_S
    pause: Callable[[float, threading.Event], object] = pause
    jitter: Callable[[], float] = random.random

    def keep_trying(self, action: Callable[[], T], stop: threading.Event = NEVER) -> T:
        """Return what an action returns, trying again while its errors are passing ones."""
        failures = 0
        while True:
            try:
                return action()
            except RegistryError as error:
                failures += 1
                self.wait_after(error, failures, stop)

    def wait_after(
        self, error: RegistryError, failures: int, stop: threading.Event = NEVER
    ) -> None:
        """Wait before the next try, or raise the error: it is not a passing one, or it was the last try."""
        if failures >= self.tries or not is_passing(error):
            raise error
        asked_s = error.retry_after_s if isinstance(error, AnswerError) else 0.0
        if asked_s > RETRY_AFTER_MAX_S:
            raise error
        wait_s = min(WAIT_MAX_S, self.first_wait_s * 2 ** (failures - 1))
        self.pause(max(asked_s, wait_s * (0.5 + self.jitter() / 2)), stop)


def is_passing(error: RegistryError) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, AnswerError):
        return error.status in (408, 429) or (error.status >= 500 and error.status != 501)
    return isinstance(error, UnreachableError)
