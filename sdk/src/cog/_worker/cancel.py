"""Stop a synchronous prediction: a signal that raises in the main thread, and only there.

The exception is raised while the canceled prediction is inside the author's code and at no other
time: not in ours, not in another prediction. A signal, unlike an exception set on a thread,
also ends ``time.sleep``, blocking reads and waits for child processes.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from typing import Any, Optional

from cog.errors import CancelationException

MAX_EARLY_CANCELS = 1024
"""Cancels remembered for predictions that the data channel has not delivered yet."""


class Canceller:
    """Knows which prediction runs and whether it is inside the author's code."""

    def __init__(self) -> None:
        """Start outside of any prediction."""
        self._current: Optional[str] = None
        self._inside = False
        self._requested = False
        self._early: deque[str] = deque(maxlen=MAX_EARLY_CANCELS)
        self._main = threading.main_thread().ident
        self._lock = threading.Lock()

    def install(self) -> None:
        """Claim SIGUSR1; called on the main thread, before the model is imported."""
        signal.signal(signal.SIGUSR1, self._on_signal)

    def start(self, prediction_id: str) -> None:
        """Note that a prediction begins; a cancel that came before it counts."""
        with self._lock:
            self._current = prediction_id
            self._requested = prediction_id in self._early

    def finish(self) -> None:
        """Note that it ended; a cancel that comes later does nothing."""
        with self._lock:
            self._inside = False
            self._current = None
            self._requested = False

    def enter(self) -> None:
        """Step into the author's code; raises at once if the prediction was canceled."""
        self._inside = True
        if self._requested:
            self._raise()

    def leave(self) -> None:
        """Step out of it again: from here on nothing is interrupted."""
        self._inside = False

    def is_main_thread(self) -> bool:
        """Tell whether the caller may be interrupted at all."""
        return threading.get_ident() == self._main

    def cancel(self, prediction_id: str) -> None:
        """Ask for the end of a prediction; called by the control thread, any number of times."""
        with self._lock:
            if prediction_id != self._current:
                self._early.append(prediction_id)
                return
            self._requested = True
        signal.pthread_kill(self._main or 0, signal.SIGUSR1)

    def _on_signal(self, signum: int, frame: Any) -> None:
        if self._inside and self._requested:
            self._raise()

    def _raise(self) -> None:
        self._inside = False
        self._requested = False
        raise CancelationException("the prediction was canceled")
