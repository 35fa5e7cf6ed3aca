"""What ends a command from outside: Ctrl-C, SIGTERM, a closed terminal.

Whatever the signal, the command unwinds, so that everything it started is ended by its owner.
The exit code is the shell's convention: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Generator, Sequence
from types import FrameType
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asked the command to end; not an Exception, so that nothing swallows it."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signal.Signals(signum).name)

    @property
    def exit_code(self) -> int:
        """Return the exit code that tells of the signal."""
        return 128 + self.signum


@contextlib.contextmanager
def stop_on_signals(hooks: Sequence[Callable[[], object]] = ()) -> Generator[None]:
    """Turn signals into ``Stopped`` while code that is not asynchronous runs.

    Args:
        hooks: are called first; they end what other threads wait for, and must not wait themselves.
    """

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        for hook in tuple(hooks):
            hook()
        raise Stopped(signum)

    previous = {signum: signal.signal(signum, stop) for signum in _heeded()}
    try:
        yield
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)


def terminate_on_hangup() -> None:
    """Treat a closed terminal as SIGTERM, for what handles that one by itself."""
    if signal.SIGHUP in _heeded():
        signal.signal(signal.SIGHUP, lambda signum, frame: os.kill(os.getpid(), signal.SIGTERM))


def run_until_stopped(main: Coroutine[Any, Any, T], hurry: Callable[[], None] = lambda: None) -> T:
    """Run a coroutine on an event loop; a signal cancels it, and it may clean up.

    Further signals do not disturb the cleaning; they call ``hurry``, which may speed it up.

    Raises:
        Stopped: a signal came, and the coroutine has ended.
    """
    import asyncio

    return asyncio.run(_cancel_on_signals(main, hurry))


async def _cancel_on_signals(main: Coroutine[Any, Any, T], hurry: Callable[[], None]) -> T:
    import asyncio

    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main)
    received: list[int] = []

    def stop(signum: int) -> None:
        if received:
            hurry()
        else:
            task.cancel()
        received.append(signum)

    heeded = _heeded()
    for signum in heeded:
        loop.add_signal_handler(signum, stop, signum)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for signum in heeded:
            loop.remove_signal_handler(signum)


def _heeded() -> list[signal.Signals]:
    """Return the signals that whoever started us does not ignore, as `nohup` and `&` do."""
    return [signum for signum in STOP_SIGNALS if signal.getsignal(signum) is not signal.SIG_IGN]
