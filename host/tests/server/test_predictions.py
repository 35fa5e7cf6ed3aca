"""The state machine: what may follow what, and what clients see of it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.server import predictions
from cogworks.server.predictions import (
    TRANSITIONS,
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Prediction,
    ProtocolError,
    Started,
    Status,
    Succeeded,
)

EVENTS: list[Event] = [
    Started(1.0),
    OutputAdded(0, "a"),
    LogAdded("stdout", "line\n"),
    MetricRecorded("m", 1, "replace"),
    Succeeded(2.0, "done"),
    Failed(2.0, "broken"),
    Canceled(2.0),
]


def new() -> Prediction:
    return Prediction("p1", {"text": "x"}, created_at=0.0)


def test_a_prediction_goes_from_starting_to_processing_to_its_end() -> None:
    prediction = new()
    statuses = [prediction.status]
    for event in (Started(1.0), Succeeded(2.5, "out")):
        prediction.handle(event)
        statuses.append(prediction.status)
    assert statuses == [Status.STARTING, Status.PROCESSING, Status.SUCCEEDED]
    assert prediction.is_terminal


@pytest.mark.parametrize("sequence", [*itertools.product(EVENTS, repeat=3)])
def test_each_event_is_legal_or_raises_and_changes_nothing(sequence: tuple[Event, ...]) -> None:
    prediction = new()
    for event in sequence:
        before = (prediction.status, prediction.snapshot())
        if (prediction.status, type(event)) in TRANSITIONS:
            prediction.handle(event)
        else:
            with pytest.raises(ProtocolError, match=f"{type(event).__name__} is not possible"):
                prediction.handle(event)
            assert (prediction.status, prediction.snapshot()) == before


def test_terminal_states_have_no_way_out() -> None:
    assert not [state for state, _ in TRANSITIONS if state.is_terminal]


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_exactly_one_end_whatever_comes(events: list[Event]) -> None:
    prediction = new()
    ends = 0
    for event in events:
        was_terminal = prediction.is_terminal
        try:
            prediction.handle(event)
        except ProtocolError:
            continue
        ends += prediction.is_terminal and not was_terminal
        assert not was_terminal
    assert ends == prediction.status.is_terminal
    json.dumps(prediction.snapshot())


def finished(*events: Event) -> dict[str, Any]:
    prediction = new()
    for event in events:
        prediction.handle(event)
    return prediction.snapshot()


def test_the_snapshot_has_the_same_keys_from_the_start_to_the_end() -> None:
    keys = [*new().snapshot()]
    assert keys == [*finished(Started(1.0), Succeeded(2.0))]
    assert keys == [
        "id",
        "status",
        "input",
        "output",
        "logs",
        "error",
        "metrics",
        "created_at",
        "started_at",
        "completed_at",
    ]


def test_times_are_utc_with_microseconds() -> None:
    snapshot = finished(Started(1.5), Failed(1_800_000_000.25, "why"))
    assert snapshot["created_at"] == "1970-01-01T00:00:00.000000+00:00"
    assert snapshot["started_at"] == "1970-01-01T00:00:01.500000+00:00"
    assert snapshot["completed_at"] == "2027-01-15T08:00:00.250000+00:00"


@pytest.mark.parametrize("end", [Succeeded(2.0), Failed(2.0, "x"), Canceled(2.0)])
def test_predict_time_is_there_however_it_ends(end: Event) -> None:
    assert finished(Started(0.5), end)["metrics"] == {"predict_time": 1.5}


def test_predict_time_leaves_the_queue_out() -> None:
    waited = finished(Started(9.0), Succeeded(10.5))
    assert waited["metrics"] == {"predict_time": 1.5}


def test_what_never_began_took_no_time() -> None:
    assert finished(Canceled(10.5))["metrics"] == {"predict_time": 0.0}


def test_items_are_collected_and_stay_when_it_fails() -> None:
    events = (Started(1.0), OutputAdded(0, "a"), OutputAdded(1, "b"))
    assert finished(*events)["output"] == ["a", "b"]
    assert finished(*events, Failed(2.0, "x"))["output"] == ["a", "b"]
    assert finished(*events, Succeeded(2.0, streamed=True))["output"] == ["a", "b"]


def test_a_stream_without_items_is_an_empty_list() -> None:
    assert finished(Started(1.0), Succeeded(2.0, streamed=True))["output"] == []


def test_an_earlier_snapshot_does_not_change_with_later_items() -> None:
    prediction = new()
    prediction.handle(Started(1.0))
    prediction.handle(OutputAdded(0, "a"))
    snapshot = prediction.snapshot()
    prediction.handle(OutputAdded(1, "b"))
    assert snapshot["output"] == ["a"]


def test_logs_are_joined_in_order() -> None:
    logs = finished(Started(1.0), LogAdded("stdout", "a\n"), LogAdded("stderr", "b"))["logs"]
    assert logs == "a\nb"


def test_logs_over_the_limit_are_cut_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MAX_LOG_CHARACTERS", 5)
    texts = [LogAdded("stdout", text) for text in ("abc", "def", "ghi")]
    assert finished(Started(1.0), *texts)["logs"] == "abcde\n[logs cut: more than 5 characters]\n"


def test_metrics_nest_at_dots_and_follow_their_modes() -> None:
    snapshot = finished(
        Started(1.0),
        MetricRecorded("tokens.in", 3, "replace"),
        MetricRecorded("tokens.out", 1, "increment"),
        MetricRecorded("tokens.out", 2, "increment"),
        MetricRecorded("steps", "a", "append"),
        MetricRecorded("steps", "b", "append"),
        MetricRecorded("gone", 1, "replace"),
        MetricRecorded("gone", None, "delete"),
    )
    assert snapshot["metrics"] == {"tokens": {"in": 3, "out": 3}, "steps": ["a", "b"]}
