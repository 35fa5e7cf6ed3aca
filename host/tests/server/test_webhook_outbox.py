from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cogworks.server.predictions import (
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Prediction,
    Started,
    Succeeded,
)
from cogworks.server.run import Run
from cogworks.server.webhook_outbox import Kind, Outbox

ALL = frozenset({"start", "output", "logs", "completed"})


class Box:
    """An outbox and the run that it watches."""

    def __init__(self, *events: str, interval_s: float = 0.5) -> None:
        self.run = Run(Prediction("p1", {"text": "hi"}, 0.0), "p1", {})
        self.outbox = Outbox(self.run, frozenset(events) or ALL, interval_s)
        self.run.observers.append(lambda _, event: self.outbox.handle(event))

    def apply(self, *events: Event) -> None:
        for event in events:
            self.run.apply(event)

    def take(self, now_s: float) -> tuple[Kind, dict[str, Any]] | None:
        """Return what may be sent at that time."""
        if self.outbox.wait_s(now_s) != 0.0:
            return None
        message = self.outbox.take(now_s)
        return message.kind, json.loads(message.body)

    def take_all(self, now_s: float = 0.0) -> list[tuple[Kind, dict[str, Any]]]:
        taken: list[tuple[Kind, dict[str, Any]]] = []
        while (item := self.take(now_s)) is not None:
            taken.append(item)
        return taken


def test_start_shows_the_prediction_as_it_was_then() -> None:
    box = Box()
    box.apply(Started(1.0), MetricRecorded("n", 1, "replace"), Succeeded(2.0, "done"))
    [(first, start), (second, end)] = box.take_all()
    assert (first, start["status"], start["metrics"], start["output"]) == (
        Kind.START,
        "processing",
        {},
        None,
    )
    assert start["input"] == {"text": "hi"}
    assert (second, end["status"], end["output"]) == (Kind.END, "succeeded", "done")
    assert end == json.loads(box.run.body())


def test_one_update_stands_for_many_events() -> None:
    box = Box("output", "logs")
    box.apply(Started(1.0), OutputAdded(0, "a"), LogAdded("stdout", "x\n"), OutputAdded(1, "b"))
    [(kind, body)] = box.take_all()
    assert (kind, body["status"], body["output"], body["logs"]) == (
        Kind.UPDATE,
        "processing",
        ["a", "b"],
        "x\n",
    )


def test_a_second_update_comes_when_the_interval_is_over() -> None:
    box = Box("output", interval_s=0.5)
    box.apply(Started(1.0), OutputAdded(0, "a"))
    assert box.take(10.0) is not None
    box.apply(OutputAdded(1, "b"))
    assert box.take(10.25) is None
    assert box.outbox.wait_s(10.25) == 0.25
    assert box.take(10.5) is not None
    assert box.outbox.wait_s(99.0) is None


def test_start_does_not_delay_the_first_update() -> None:
    box = Box()
    box.apply(Started(1.0), OutputAdded(0, "a"))
    assert [kind for kind, _ in box.take_all()] == [Kind.START, Kind.UPDATE]


def test_the_end_waits_for_no_interval_and_stands_for_the_update() -> None:
    box = Box("output", "completed")
    box.apply(Started(1.0), OutputAdded(0, "a"))
    box.take(10.0)
    box.apply(OutputAdded(1, "b"), Succeeded(2.0, streamed=True))
    [(kind, body)] = box.take_all(10.0)
    assert (kind, body["status"], body["output"]) == (Kind.END, "succeeded", ["a", "b"])


def test_the_last_update_is_sent_where_the_end_is_not_wanted() -> None:
    box = Box("output")
    box.apply(Started(1.0), OutputAdded(0, "a"))
    box.take(10.0)
    box.apply(OutputAdded(1, "b"), Failed(2.0, "it broke"))
    [(kind, body)] = box.take_all(10.0)
    assert (kind, body["status"], body["output"]) == (Kind.UPDATE, "processing", ["a", "b"])
    assert (body["error"], body["completed_at"], body["metrics"]) == (None, None, {})


def test_a_plain_value_is_no_output_of_its_own() -> None:
    box = Box("start", "output")
    box.apply(Started(1.0), Succeeded(2.0, "done"))
    assert [kind for kind, _ in box.take_all()] == [Kind.START]


def test_a_plain_value_does_not_show_in_the_last_logs() -> None:
    box = Box("logs")
    box.apply(Started(1.0), LogAdded("stdout", "x\n"), Succeeded(2.0, "done"))
    [(_, body)] = box.take_all()
    assert (body["status"], body["output"], body["logs"]) == ("processing", None, "x\n")


def test_a_list_that_came_as_a_whole_is_output() -> None:
    box = Box("output")
    box.apply(Started(1.0), Succeeded(2.0, ["a", "b"]))
    [(kind, body)] = box.take_all()
    assert (kind, body["status"], body["output"]) == (Kind.UPDATE, "processing", ["a", "b"])


def test_a_single_file_is_output() -> None:
    box = Box("output")
    box.apply(Started(1.0), Succeeded(2.0, "data:text/plain;base64,eA==", has_files=True))
    [(kind, body)] = box.take_all()
    assert (kind, body["status"]) == (Kind.UPDATE, "processing")
    assert body["output"] == "data:text/plain;base64,eA=="


def test_what_was_not_asked_for_is_not_sent() -> None:
    box = Box("completed")
    box.apply(Started(1.0), OutputAdded(0, "a"), LogAdded("stdout", "x"))
    assert box.outbox.is_empty
    box.apply(Canceled(2.0))
    assert [kind for kind, _ in box.take_all()] == [Kind.END]
    assert box.outbox.is_empty


def test_a_prediction_that_never_started_has_an_end_only() -> None:
    box = Box()
    box.apply(Canceled(2.0))
    [(kind, body)] = box.take_all()
    assert (kind, body["status"]) == (Kind.END, "canceled")


def test_hurry_ends_the_wait_for_the_interval() -> None:
    box = Box("logs", interval_s=60.0)
    box.apply(Started(1.0), LogAdded("stdout", "x"))
    box.take(10.0)
    box.apply(LogAdded("stdout", "y"))
    assert box.take(10.0) is None
    box.outbox.hurry()
    assert box.take(10.0) is not None


def test_a_bare_end_is_sent_as_it_is() -> None:
    outbox = Outbox.of_end(b'{"id": "p1"}')
    assert (outbox.is_over, outbox.size_bytes, outbox.wait_s(0.0)) == (True, 12, 0.0)
    assert outbox.take(0.0) == (Kind.END, b'{"id": "p1"}')
    assert outbox.is_empty


EIGHTHS = st.integers(0, 8).map(lambda count: count / 8)  # Sums of them are exact.
ENDS = st.sampled_from([Succeeded(9.0, streamed=True), Failed(9.0, "no"), Canceled(9.0)])
MIDDLES = st.lists(
    st.sampled_from(
        [OutputAdded(0, "a"), LogAdded("stdout", "x"), MetricRecorded("n", 1, "append")]
    )
)


@given(MIDDLES, ENDS, st.lists(EIGHTHS), st.booleans())
def test_order_holds_and_nothing_is_lost_whenever_messages_are_taken(
    middles: list[Event], end: Event, steps_s: list[float], has_end: bool
) -> None:
    box = Box(*(ALL if has_end else ALL - {"completed"}))
    steps = iter(steps_s)
    now_s = 0.0
    taken: list[tuple[Kind, dict[str, Any]]] = []
    updates_s: list[float] = []
    for event in [Started(1.0), *middles, end]:
        box.apply(event)
        now_s += next(steps, 0.0)
        if event is not end and (item := box.take(now_s)) is not None:
            taken.append(item)
            updates_s += [now_s] if item[0] is Kind.UPDATE else []
    taken += box.take_all(now_s)
    kinds = [kind for kind, _ in taken]
    assert kinds[0] is Kind.START
    assert kinds.count(Kind.START) == 1
    assert (kinds.count(Kind.END), kinds[-1] is Kind.END) == (int(has_end), has_end)
    assert all(later - sooner >= 0.5 for sooner, later in itertools.pairwise(updates_s))
    final = box.run.prediction.snapshot()
    told = taken[-1][1]
    if has_end or any(isinstance(event, OutputAdded | LogAdded) for event in middles):
        assert (told["output"] or [], told["logs"]) == (final["output"] or [], final["logs"])
