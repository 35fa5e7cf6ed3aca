"""The author's healthcheck: what it says, and that nothing waits for it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable

import pytest

from cog._bridge.messages import Cancel, Done, Healthcheck, HealthcheckResult
from cog._worker.healthcheck import RETURNED_FALSE, HealthcheckRunner, judge, timed_out

Start = Callable[..., Any]
BOTH = pytest.mark.parametrize("model", ["healthcheck", "healthcheck_async"])


def check(worker: Any, timeout_s: float = 5.0) -> Any:
    worker.control.send(Healthcheck(timeout_s))
    return worker.next_control()


@pytest.mark.parametrize(
    ("model", "expected"), [("echo", False), ("healthcheck", True), ("healthcheck_async", True)]
)
def test_ready_tells_whether_there_is_a_healthcheck(
    launch: Start, model: str, expected: bool
) -> None:
    worker = launch(model)
    worker.init()
    worker.next_control()
    assert worker.next_control().has_healthcheck is expected


@BOTH
@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("well", None),
        ("nothing", None),
        ("zero", None),
        ("false", RETURNED_FALSE),
        ("exit", "Healthcheck failed: SystemExit: 3"),
    ],
)
def test_the_result_is_told(ready: Start, model: str, how: str, error: Any) -> None:
    worker = ready(model)
    worker.result(how=how)
    assert check(worker) == HealthcheckResult(error)
    assert worker.result(how="well").status == "succeeded"
    assert check(worker) == HealthcheckResult()


def test_what_it_raises_is_told(ready: Start) -> None:
    for model, text in (
        ("healthcheck", "the disk is full"),
        ("healthcheck_async", "the database does not answer"),
    ):
        worker = ready(model)
        worker.result(how="raise")
        assert check(worker) == HealthcheckResult(f"Healthcheck failed: {text}")


@BOTH
def test_a_prediction_does_not_hold_it_up(ready: Start, model: str) -> None:
    worker = ready(model)
    worker.predict(how="wait")
    assert check(worker) == HealthcheckResult()
    worker.control.send(Cancel("p1"))
    assert worker.until_done() == [Done("p1", "canceled")]


@BOTH
def test_one_that_hangs_holds_up_neither_predictions_nor_cancels(ready: Start, model: str) -> None:
    worker = ready(model)
    worker.result(how="hang")
    worker.control.send(Healthcheck(60.0))
    worker.predict("p2", how="wait")
    worker.control.send(Cancel("p2"))
    assert worker.until_done() == [Done("p2", "canceled")]


def test_there_is_one_at_a_time_however_often_it_is_asked_for() -> None:
    calls: list[int] = []
    results: list[HealthcheckResult] = []
    may_end, came = threading.Event(), threading.Event()

    def hang() -> None:
        calls.append(threading.active_count())
        may_end.wait(10)

    def send(result: HealthcheckResult) -> None:
        results.append(result)
        came.set()

    runner = HealthcheckRunner(hang, None, send)
    before = threading.active_count()
    for _ in range(20):
        runner.start(0.001)
    assert threading.active_count() == before + 1
    may_end.set()
    assert came.wait(10)
    assert (len(calls), results) == (1, [HealthcheckResult()])


def test_one_that_hung_may_be_well_again(ready: Start) -> None:
    worker = ready("healthcheck")
    worker.result(how="hang")
    worker.control.send(Healthcheck(5.0))
    assert worker.result(how="well").status == "succeeded"
    assert worker.next_control() == HealthcheckResult()
    assert check(worker) == HealthcheckResult()


def test_a_check_that_cancels_itself_is_an_error_and_no_silence() -> None:
    async def check() -> None:
        raise asyncio.CancelledError

    assert run(check) == HealthcheckResult("Healthcheck failed: CancelledError")


def test_an_async_one_that_hangs_is_canceled_in_time(ready: Start) -> None:
    worker = ready("healthcheck_async")
    worker.result(how="hang")
    assert check(worker, 0.05) == HealthcheckResult(timed_out(0.05))
    worker.result(how="well")
    assert check(worker) == HealthcheckResult()


def test_the_text_of_the_timeout_is_the_one_that_clients_know() -> None:
    assert timed_out(5.0) == (
        "Healthcheck failed: user-defined healthcheck timed out after 5.0 seconds"
    )


def test_a_model_without_one_that_is_asked_says_nothing(ready: Start) -> None:
    worker = ready("echo")
    worker.control.send(Healthcheck(5.0))
    assert worker.result(text="you").output == "hello you"


def test_only_a_truth_value_can_be_false() -> None:
    class bool_:  # noqa: N801 - NumPy's name for it
        def __bool__(self) -> bool:
            return False

    assert judge(bool_()) == RETURNED_FALSE
    values: list[Any] = [None, 0, "", [], True, 1]
    for value in values:
        assert judge(value) is None


def test_a_coroutine_of_a_synchronous_model_gets_a_loop_of_its_own() -> None:
    async def check() -> bool:
        await asyncio.sleep(0)
        return threading.current_thread() is threading.main_thread()

    assert run(check) == HealthcheckResult(RETURNED_FALSE)


def test_a_function_that_returns_a_coroutine_is_awaited_where_the_model_runs() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def check() -> bool:
        return threading.current_thread() is not thread

    try:
        assert run(lambda: check(), loop) == HealthcheckResult(RETURNED_FALSE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_server_that_is_gone_is_no_error() -> None:
    called = threading.Event()

    def send(result: HealthcheckResult) -> None:
        called.set()
        raise BrokenPipeError

    HealthcheckRunner(lambda: True, None, send).start(5.0)
    assert called.wait(10)


def run(method: Callable[[], Any], loop: Any = None) -> HealthcheckResult:
    results: list[HealthcheckResult] = []
    came = threading.Event()

    def send(result: HealthcheckResult) -> None:
        results.append(result)
        came.set()

    HealthcheckRunner(method, loop, send).start(5.0)
    assert came.wait(10)
    return results[0]
