from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from cog._worker.cancel import Canceller
from cog.errors import CancelationException

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")


class HardOfHearing(Canceller):
    """Loses the first signal, as Python does with one that comes right before a call begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def _interrupt(self) -> bool:
        self.sent += 1
        return self.sent == 1 or super()._interrupt()


def timers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def read(canceller: Canceller, descriptor: int) -> None:
    canceller.enter()
    os.read(descriptor, 1)


@pytest.fixture
def canceller() -> Iterator[HardOfHearing]:
    handler, report = signal.getsignal(signal.SIGUSR1), sys.unraisablehook
    made = HardOfHearing()
    made.install()
    yield made
    for timer in timers():
        timer.join()
    signal.signal(signal.SIGUSR1, handler)
    sys.unraisablehook = report


def test_a_signal_that_was_not_heard_is_sent_again(canceller: HardOfHearing) -> None:
    reading, writing = os.pipe()
    canceller.start("p1")
    threading.Thread(target=canceller.cancel, args=("p1",)).start()
    with pytest.raises(CancelationException):
        read(canceller, reading)
    canceller.finish()
    os.close(reading)
    os.close(writing)


def test_nothing_is_sent_once_it_was_heard_or_is_over(canceller: HardOfHearing) -> None:
    canceller.start("p1")
    for _ in range(100):
        canceller.cancel("p1")
    with pytest.raises(CancelationException):
        canceller.enter()
    canceller.finish()
    sent, (timer,) = canceller.sent, timers()
    timer.join()
    assert canceller.sent == sent
