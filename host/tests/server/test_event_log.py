"""The log of a prediction's events: what subscribers see of it, and how much of it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogworks.server import event_log
from cogworks.server.event_log import (
    BATCH_BYTES,
    LAGGED,
    MAX_BEHIND,
    TRUNCATED,
    EventLog,
    Subscription,
    TooManySubscribersError,
)
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


@dataclass
class Sse:
    """One event as a client parses it."""

    id: int
    name: str
    data: Any


class Play:
    """A prediction with its log."""

    def __init__(self, **limits: int) -> None:
        self.prediction = Prediction("p1", {}, created_at=1.0)
        self.bodies = 0
        self.log = EventLog("p1", self.body, **limits)

    def body(self) -> bytes:
        self.bodies += 1
        return json.dumps(self.prediction.snapshot()).encode()

    def add(self, *events: Event) -> None:
        for event in events:
            self.prediction.handle(event)
            self.log.observe(self.prediction, event)

    def add_outputs(self, count: int) -> None:
        self.add(*(OutputAdded(index, f"token{index}") for index in range(count)))


def parse(text: bytes) -> list[Sse]:
    events: list[Sse] = []
    assert not text or text.endswith(b"\n\n")
    for block in text.split(b"\n\n")[:-1]:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n"))
        assert list(fields) == [b"id", b"event", b"data"]
        name = fields[b"event"].decode()
        events.append(Sse(int(fields[b"id"]), name, json.loads(fields[b"data"])))
    return events


def read_all(subscription: Subscription) -> list[Sse]:
    text = b""
    while parts := subscription.read():
        text += b"".join(parts)
    return parse(text)


def test_every_event_has_its_name_its_data_and_the_next_id() -> None:
    play = Play()
    subscription = play.log.subscribe()
    play.add(
        Started(2.0),
        OutputAdded(0, {"a": "b\nc"}),
        LogAdded("stderr", "line\r\nrest"),
        MetricRecorded("m", 1.5, "replace"),
        Succeeded(3.0, streamed=True),
    )
    assert read_all(subscription) == [
        Sse(1, "start", {"id": "p1", "status": "processing"}),
        Sse(2, "output", {"chunk": {"a": "b\nc"}, "index": 0}),
        Sse(3, "log", {"source": "stderr", "data": "line\r\nrest"}),
        Sse(4, "metric", {"name": "m", "value": 1.5, "mode": "replace"}),
        Sse(5, "completed", play.prediction.snapshot()),
    ]
    assert subscription.is_over


@pytest.mark.parametrize("end", [Failed(2.0, "broken"), Canceled(2.0)])
def test_a_prediction_that_never_started_is_completed_too(end: Event) -> None:
    play = Play()
    play.add(end)
    assert [event.name for event in read_all(play.log.subscribe())] == ["completed"]


def test_a_late_subscriber_sees_the_history_and_then_what_happens() -> None:
    play = Play()
    play.add(Started(2.0))
    play.add_outputs(2)
    subscription = play.log.subscribe()
    assert [event.id for event in read_all(subscription)] == [1, 2, 3]
    play.add(OutputAdded(2, "x"))
    assert [event.id for event in read_all(subscription)] == [4]


def test_a_subscriber_resumes_after_the_id_it_names() -> None:
    play = Play()
    play.add(Started(2.0))
    play.add_outputs(3)
    assert [event.id for event in read_all(play.log.subscribe(2))] == [3, 4]


def test_an_id_of_another_run_shows_everything() -> None:
    play = Play()
    play.add(Started(2.0))
    assert [event.id for event in read_all(play.log.subscribe(77))] == [1]


def test_who_has_seen_the_end_has_nothing_to_come() -> None:
    play = Play()
    play.add(Canceled(2.0))
    assert play.log.subscribe(1).is_over
    assert not play.log.subscribe(0).is_over


def test_a_joiner_is_told_how_much_of_the_history_is_gone() -> None:
    play = Play(capacity=3)
    play.add(Started(2.0))
    play.add_outputs(9)
    subscription = play.log.subscribe()
    assert read_all(subscription) == [Sse(7, "error", {"error": TRUNCATED, "skipped": 7})]
    assert subscription.is_over


def test_the_id_of_the_error_leads_past_the_gap() -> None:
    play = Play(capacity=3)
    play.add(Started(2.0))
    play.add_outputs(9)
    (error,) = read_all(play.log.subscribe())
    assert [event.id for event in read_all(play.log.subscribe(error.id))] == [8, 9, 10]


def test_a_joiner_sees_only_the_future_where_no_history_is_kept() -> None:
    play = Play(capacity=0)
    play.add(Started(2.0))
    subscription = play.log.subscribe()
    assert read_all(subscription) == []
    play.add(OutputAdded(0, "x"), Canceled(3.0))
    assert [event.id for event in read_all(subscription)] == [2, 3]


def test_the_end_is_kept_where_nothing_else_is() -> None:
    play = Play(capacity=0)
    play.add(Started(2.0), OutputAdded(0, "x"), Canceled(3.0))
    assert [(event.id, event.name) for event in read_all(play.log.subscribe())] == [
        (3, "completed")
    ]


def test_a_burst_longer_than_the_history_reaches_who_follows() -> None:
    play = Play(capacity=10)
    subscription = play.log.subscribe()
    play.add(Started(2.0))
    play.add_outputs(2000)
    assert [event.id for event in read_all(subscription)] == list(range(1, 2002))


def test_who_falls_too_far_behind_is_told_and_dropped() -> None:
    play = Play()
    play.add(Started(2.0))
    subscription = play.log.subscribe()
    read_all(subscription)
    play.add_outputs(MAX_BEHIND + 5)
    assert read_all(subscription) == [Sse(6, "error", {"error": LAGGED, "skipped": 5})]
    assert subscription.is_over


def test_logs_are_kept_up_to_their_limit_in_bytes() -> None:
    play = Play(max_bytes=100)
    subscription = play.log.subscribe()
    play.add(Started(2.0), *(LogAdded("stdout", "x" * 40) for _ in range(4)))
    assert read_all(subscription) == [Sse(3, "error", {"error": LAGGED, "skipped": 3})]


def test_one_event_above_the_limit_still_arrives() -> None:
    play = Play(max_bytes=100)
    subscription = play.log.subscribe()
    play.add(Started(2.0))
    read_all(subscription)
    play.add(LogAdded("stdout", "x" * 1000))
    assert [event.id for event in read_all(subscription)] == [2]


def test_outputs_beyond_the_limit_are_written_again_for_a_joiner() -> None:
    play = Play(max_bytes=1000)
    first = play.log.subscribe()
    play.add(Started(2.0), *(OutputAdded(index, "x" * 400) for index in range(10)))
    assert len(read_all(first)) == 11
    assert play.log._written_bytes <= 1000
    assert len(read_all(play.log.subscribe())) == 11


def test_an_output_beyond_the_limit_is_written_once_for_all() -> None:
    play = Play(max_bytes=100)
    play.add(Started(2.0), OutputAdded(0, "x" * 1000))
    one, two = play.log.subscribe(), play.log.subscribe(1)
    one.read()
    written = play.log._written[2]
    assert two.read()[0] is written


def test_what_was_written_is_forgotten_with_its_event() -> None:
    play = Play(capacity=2)
    subscription = play.log.subscribe()
    play.add(Started(2.0))
    play.add_outputs(5)
    read_all(subscription)
    subscription.close()
    assert list(play.log._written) == list(play.log._entries) == [5, 6]


def test_a_metric_is_shown_as_it_was_recorded() -> None:
    play = Play()
    play.add(
        Started(2.0),
        MetricRecorded("m", {"a": 1}, "replace"),
        MetricRecorded("m.b", 2, "replace"),
    )
    metric = read_all(play.log.subscribe())[1]
    assert metric.data == {"name": "m", "value": {"a": 1}, "mode": "replace"}


def test_subscribers_in_step_share_what_is_written() -> None:
    play = Play()
    one, two = play.log.subscribe(), play.log.subscribe()
    play.add(Started(2.0))
    play.add_outputs(100)
    assert one.read()[0] is two.read()[0]


def test_subscribers_out_of_step_share_each_event() -> None:
    play = Play()
    play.add(Started(2.0))
    play.add(OutputAdded(0, "x"))
    one, two = play.log.subscribe(1), play.log.subscribe(0)
    text = one.read()[0]
    assert two.read()[0].endswith(text)
    assert play.log._written_bytes == sum(map(len, play.log._written.values()))
    assert play.log._write_entry(2, play.log._entries[2]) is play.log._written[2]  # type: ignore[arg-type]


def test_a_long_history_comes_in_batches() -> None:
    play = Play()
    play.add(Started(2.0), *(OutputAdded(index, "x" * 1000) for index in range(200)))
    subscription = play.log.subscribe()
    sizes: list[int] = []
    while parts := subscription.read():
        sizes.append(sum(map(len, parts)))
    assert len(sizes) >= 3
    assert max(sizes) < BATCH_BYTES + 2000


def test_a_big_final_object_is_not_copied() -> None:
    body = b'{"output": "%s"}' % (b"x" * BATCH_BYTES)
    (_, middle, _) = EventLog.finished(body).subscribe().read()
    assert middle is body


def test_a_prediction_of_the_store_is_completed_at_once() -> None:
    subscription = EventLog.finished(b'{"id":"old"}').subscribe()
    assert read_all(subscription) == [Sse(1, "completed", {"id": "old"})]
    assert subscription.is_over


def test_nothing_is_written_while_nobody_follows() -> None:
    play = Play()
    play.add(Started(2.0))
    play.add_outputs(10)
    play.add(Succeeded(3.0, streamed=True))
    assert not play.log._written
    assert play.bodies == 0


def test_too_many_subscribers_are_refused_until_one_leaves() -> None:
    play = Play(max_subscribers=2)
    first = play.log.subscribe()
    play.log.subscribe()
    with pytest.raises(TooManySubscribersError, match="Too many stream subscribers"):
        play.log.subscribe()
    first.close()
    first.close()
    assert play.log.subscriber_count == 1
    play.log.subscribe()


def test_who_waits_is_woken_once_by_the_next_event() -> None:
    play = Play()
    subscription = play.log.subscribe()
    woken: list[int] = []
    subscription.wake_when_ready(lambda: woken.append(1))
    assert woken == []
    play.add(Started(2.0), OutputAdded(0, "x"))
    assert woken == [1]


def test_who_waits_again_and_again_is_still_woken_once() -> None:
    play = Play()
    subscription = play.log.subscribe()
    woken: list[int] = []
    for _ in range(3):
        subscription.wake_when_ready(lambda: woken.append(1))
    play.add(Started(2.0))
    assert woken == [1]


def test_who_waits_for_what_is_there_is_woken_at_once() -> None:
    play = Play()
    subscription = play.log.subscribe()
    play.add(Started(2.0))
    woken: list[int] = []
    subscription.wake_when_ready(lambda: woken.append(1))
    assert woken == [1]


def test_nobody_wakes_who_has_left() -> None:
    play = Play()
    subscription = play.log.subscribe()
    woken: list[int] = []
    subscription.wake_when_ready(lambda: woken.append(1))
    subscription.close()
    play.add(Started(2.0))
    assert woken == []
    assert subscription.read() == []


@dataclass(eq=False)
class Client:
    """A subscriber of a history, and all it saw."""

    subscription: Subscription
    after: int
    has_left: bool = False
    seen: list[Sse] = field(default_factory=list[Sse])

    def read(self) -> None:
        self.seen += parse(b"".join(self.subscription.read()))


STEPS = st.lists(
    st.one_of(
        st.builds(LogAdded, st.just("stdout"), st.text(max_size=30)),
        st.builds(OutputAdded, st.just(0), st.text(max_size=30)),
        st.builds(MetricRecorded, st.just("m"), st.integers(), st.just("replace")),
        st.builds(Succeeded, st.just(2.0)),
        st.builds(Failed, st.just(2.0), st.text(max_size=5)),
        st.tuples(st.just("join"), st.none() | st.integers(-1, 30)),
        st.tuples(st.sampled_from(["read", "leave"]), st.integers(0, 5)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(0, 6), st.integers(10, 80))
def test_every_subscriber_sees_gapless_ids_or_exactly_one_error(
    steps: list[Any], capacity: int, max_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_log, "MAX_BEHIND", 5)
        patch.setattr(event_log, "BATCH_BYTES", 150)
        play = Play(capacity=capacity, max_bytes=max_bytes)
        play.add(Started(1.0))
        clients: list[Client] = []
        for step in steps:
            _take(play, clients, step)
            assert len(play.log._entries) <= max(capacity, 5)
            _check_bounds(play.log, max_bytes)
        if not play.prediction.is_terminal:
            play.add(Canceled(3.0))
        for client in clients:
            while not client.subscription.is_over:
                client.read()
            _check(play, client)


def _check_bounds(log: EventLog, max_bytes: int) -> None:
    written = sum(map(len, log._written.values()))
    assert written == log._written_bytes
    assert log._written.keys() <= log._entries.keys()
    assert written <= max_bytes or len(log._written) == 1
    kept = [entry for entry in log._entries.values() if isinstance(entry, bytes | LogAdded)]
    size = sum(len(entry.text if isinstance(entry, LogAdded) else entry) for entry in kept)
    assert size == log._entries_bytes
    assert size <= max_bytes or len(log._entries) == 1


def _take(play: Play, clients: list[Client], step: Any) -> None:
    """Take one step of a history; those that the state does not allow are left out."""
    match step:
        case ("join", after):
            subscription = play.log.subscribe(after)
            clients.append(Client(subscription, subscription.position))
        case ("read", which):
            for client in clients[which : which + 1]:
                client.read()
        case ("leave", which):
            for client in clients[which : which + 1]:
                client.subscription.close()
                client.has_left = True
        case _:
            if not play.prediction.is_terminal:
                play.add(step)


def _check(play: Play, client: Client) -> None:
    *before, last = client.seen or [Sse(client.after, "nothing", None)]
    expected = client.after + len(before) + 1
    assert [event.id for event in before] == list(range(client.after + 1, expected))
    assert all(event.name not in ("error", "completed") for event in before)
    if last.name == "error":
        assert last.data["skipped"] == last.id - expected + 1 > 0
        is_truncated = client.subscription.is_truncated
        assert last.data["error"] == (TRUNCATED if is_truncated else LAGGED)
        assert not (is_truncated and before)
    elif last.name == "completed":
        assert (last.id, last.data) == (expected, play.prediction.snapshot())
    else:
        assert not client.seen or last.id == expected
        assert client.has_left or client.after == play.log._last_id
