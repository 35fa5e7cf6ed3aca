"""Stop a synchronous prediction: a signal that raises in the main thread, and only there.

The exception is raised while the canceled prediction is inside the author's code and at no other
time: not in ours, not in another prediction. A signal, unlike an exception set on a thread,
also ends ``time.sleep``, blocking reads and waits for child processes.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from typing import Any, Callable, Optional

from cog._worker.logs import write_error
from cog.errors import CancelationException

AGAIN_S, AGAIN_MAX_S = 0.05, 1.0
"""When a cancel is sent once more that was not heard; each time later, up to the second."""

SIGNAL_TAKEN = (
    "cog: the model has taken SIGUSR1 for itself, so this prediction cannot be interrupted; "
    "the server ends it where COG_CANCEL_TIMEOUT is set"
)

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
        self._is_doubtful = False
        self._insisting: Optional[str] = None

    def install(self) -> None:
        """Claim SIGUSR1; called on the main thread, before the model is imported."""
        self.reclaim()
        self._report_unraisable = sys.unraisablehook
        sys.unraisablehook = self._on_unraisable

    def reclaim(self) -> None:
        """Take SIGUSR1 back if the model has taken or blocked it; called on the main thread."""
        self._is_doubtful = False
        signal.signal(signal.SIGUSR1, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})

    def start(self, prediction_id: str) -> None:
        """Note that a prediction begins; a cancel that came before it counts."""
        if self._is_doubtful:
            self.reclaim()
        with self._lock:
            self._current = prediction_id
            self._requested = prediction_id in self._early

    def finish(self) -> None:
        """Note that it ended; a cancel that comes later does nothing."""
        with self._lock:
            self._inside = False
            self._current = None
            # A cancel that was not heard: too late, or the model has blocked the signal.
            self._is_doubtful = self._is_doubtful or self._requested
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
            if self._interrupt() and self._insisting != prediction_id:
                self._insisting = prediction_id
                _later(AGAIN_S, self._insist, prediction_id, AGAIN_S)

    def _insist(self, prediction_id: str, pause_s: float) -> None:
        """Send the signal again until it is heard: Python sees one that comes right before a call waits only after it."""
        with self._lock:
            is_unheard = prediction_id == self._current and self._requested
            if is_unheard and self._interrupt():
                pause_s = min(2 * pause_s, AGAIN_MAX_S)
                _later(pause_s, self._insist, prediction_id, pause_s)
            else:
                self._insisting = None

    def _interrupt(self) -> bool:
        """Send the signal, unless it would end the process: nobody else's handler is called."""
        if signal.getsignal(signal.SIGUSR1) == self._on_signal:
            signal.pthread_kill(self._main or 0, signal.SIGUSR1)
            return True
        self._is_doubtful = True
        write_error(SIGNAL_TAKEN)
        return False

    def _on_unraisable(self, unraisable: Any) -> None:
        """Cancel again what was canceled where no exception gets out."""
        prediction_id = self._current
        if unraisable.exc_type is not CancelationException or prediction_id is None:
            self._report_unraisable(unraisable)
            return
        self._inside = True
        _later(AGAIN_S, self.cancel, prediction_id)

    def _on_signal(self, signum: int, frame: Any) -> None:
        if self._inside and self._requested:
            self._raise()

    def _raise(self) -> None:
        self._inside = False
        self._requested = False
        raise CancelationException("the prediction was canceled")


def _later(pause_s: float, call: Callable[..., None], *arguments: Any) -> None:
    timer = threading.Timer(pause_s, call, arguments)
    timer.daemon = True
    timer.start()
