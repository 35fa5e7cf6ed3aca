"""Predictions of an asynchronous model, several at once."""

from __future__ import annotations

import time
from typing import Any, Callable

from cog._bridge.messages import Cancel, Done, Log, Output

Start = Callable[..., Any]


def test_predictions_run_at_once_and_keep_their_logs_apart(ready: Start) -> None:
    worker = ready("echo_async")
    for name in ("a", "b", "c"):
        worker.predict(name, text=name, delay=0.1)
    messages = [message for _ in range(3) for message in worker.until_done()]
    # All have begun before the first is done.
    assert [message.text for message in messages[:3]] == [f"working on {name}\n" for name in "abc"]
    for name in ("a", "b", "c"):
        own = [message for message in messages if message.id == name]
        assert own == [
            Log(name, "stdout", f"working on {name}\n"),
            Log(name, "stdout", f"done with {name}"),
            Done(name, "succeeded", f"hello {name}"),
        ]


def test_an_async_generator_sends_each_item_as_it_is_yielded(ready: Start) -> None:
    worker = ready("yields_async")
    worker.predict(count=2)
    assert worker.until_done() == [
        Output("p1", 0, "token0 "),
        Output("p1", 1, "token1 "),
        Done("p1", "succeeded", streamed=True),
    ]


def test_a_cancel_ends_one_prediction_and_no_other(ready: Start) -> None:
    worker = ready("sleeps_async", {"slots": 2})
    worker.predict("long", seconds=60)
    worker.predict("short", seconds=0.3)
    begun = [worker.next_data(), worker.next_data()]
    assert begun == [Log(name, "stdout", "sleeping\n") for name in ("long", "short")]
    worker.control.send(Cancel("long"))
    first = worker.until_done()
    second = worker.until_done()
    assert first == [Log("long", "stdout", "cleaning up\n"), Done("long", "canceled")]
    assert second[-1] == Done("short", "succeeded", "slept")


def test_a_cancel_that_comes_before_its_prediction_counts(ready: Start) -> None:
    worker = ready("sleeps_async")
    worker.control.send(Cancel("p1"))
    time.sleep(0.1)  # Two channels: the cancel must win the race for this test.
    assert worker.result(seconds=60) == Done("p1", "canceled")


def test_a_late_cancel_does_nothing(ready: Start) -> None:
    worker = ready("sleeps_async")
    assert worker.result(seconds=0).status == "succeeded"
    worker.control.send(Cancel("p1"))
    worker.predict("p2", seconds=0)
    assert worker.until_done()[-1].status == "succeeded"
