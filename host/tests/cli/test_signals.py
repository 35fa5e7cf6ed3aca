from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from cogworks.cli.signals import STOP_SIGNALS, Stopped, run_until_stopped, stop_on_signals

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize("signum", STOP_SIGNALS)
def test_a_signal_unwinds_what_runs(signum: signal.Signals) -> None:
    with pytest.raises(Stopped) as caught, stop_on_signals():
        signal.raise_signal(signum)
    assert caught.value.exit_code == CODES[signum]


def test_hooks_are_called_before_anything_unwinds() -> None:
    steps: list[str] = []
    hooks: list[Callable[[], object]] = []

    def work() -> None:
        # What is to be ended comes up while the command runs.
        hooks.append(lambda: steps.append("hook"))
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            steps.append("unwound")

    with pytest.raises(Stopped), stop_on_signals(hooks):
        work()
    assert steps == ["hook", "unwound"]


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(signum) for signum in STOP_SIGNALS]
    with stop_on_signals():
        pass
    assert [signal.getsignal(signum) for signum in STOP_SIGNALS] == before


@pytest.mark.parametrize("signum", STOP_SIGNALS)
def test_a_coroutine_cleans_up_after_a_signal(signum: signal.Signals) -> None:
    steps: list[str] = []

    hurried = asyncio.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), signum)
            await asyncio.Event().wait()
        finally:
            # A second signal must not keep the cleaning from its end.
            os.kill(os.getpid(), signum)
            await hurried.wait()
            steps.append("cleaned")

    with pytest.raises(Stopped) as caught:
        run_until_stopped(work(), hurried.set)
    assert caught.value.exit_code == CODES[signum]
    assert steps == ["cleaned"]


def test_without_a_signal_the_result_is_returned() -> None:
    async def work() -> int:
        return 5

    assert run_until_stopped(work()) == 5


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
