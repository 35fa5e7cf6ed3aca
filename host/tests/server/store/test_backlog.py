"""What waits for the disk."""

from __future__ import annotations

from typing import Any

from cogworks.server.store import backlog as module
from cogworks.server.store.backlog import Backlog


def test_versions_of_one_id_become_one(finished: Any, in_flight: Any) -> None:
    backlog = Backlog()
    backlog.put(in_flight("a", "starting"))
    backlog.put(in_flight("b"))
    backlog.put(in_flight("a"))
    backlog.put(finished("a"))
    backlog.put(in_flight("a"))
    assert [(record.id, record.status) for record in backlog.take().records] == [
        ("a", "succeeded"),
        ("b", "processing"),
    ]


def test_records_wait_until_they_are_settled(finished: Any) -> None:
    backlog = Backlog()
    backlog.put(finished("a"))
    batch = backlog.take()
    assert backlog.take() == batch
    assert backlog.find("a") is batch.records[0]
    backlog.settle(batch)
    assert not backlog
    assert backlog.find("a") is None


def test_a_version_that_came_meanwhile_waits_on(finished: Any, in_flight: Any) -> None:
    backlog = Backlog()
    backlog.put(in_flight("a"))
    batch = backlog.take()
    newer = finished("a")
    backlog.put(newer)
    backlog.settle(batch)
    assert backlog.take().records == [newer]


def test_batches_are_bounded(finished: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "BATCH_RECORDS", 3)
    monkeypatch.setattr(module, "BATCH_BYTES", 10)
    backlog = Backlog()
    for name, size_bytes in [("a", 20), ("b", 5), ("c", 5), ("d", 1), ("e", 1), ("f", 1), ("g", 1)]:
        backlog.put(finished(name, b"x" * size_bytes))
    batches: list[str] = []
    while backlog:
        batch = backlog.take()
        batches.append("".join(record.id for record in batch.records))
        backlog.settle(batch)
    assert batches == ["a", "bc", "def", "g"]


def test_the_oldest_that_are_over_go_when_there_are_too_many(finished: Any, in_flight: Any) -> None:
    backlog = Backlog(max_records=3)
    backlog.put(in_flight("runs"))
    for name in "abcd":
        backlog.put(finished(name))
    assert [record.id for record in backlog.take().records] == ["runs", "c", "d"]
    assert backlog.given_up == 2


def test_what_is_in_flight_stays_even_beyond_the_limit(in_flight: Any, finished: Any) -> None:
    backlog = Backlog(max_records=2)
    for name in "abc":
        backlog.put(in_flight(name))
    backlog.put(finished("d"))
    assert [record.id for record in backlog.take().records] == ["a", "b", "c", "d"]
    assert backlog.given_up == 0


def test_the_size_counts_too_and_comes_back_when_records_leave(finished: Any) -> None:
    backlog = Backlog(max_bytes=10)
    for _ in range(5):
        backlog.put(finished("a", b"x" * 6))
        backlog.settle(backlog.take())
    assert backlog.given_up == 0
    backlog.put(finished("b", b"x" * 6))
    backlog.put(finished("c", b"x" * 6))
    assert [record.id for record in backlog.take().records] == ["c"]
    backlog.put(finished("d", b"x" * 60))
    assert [record.id for record in backlog.take().records] == ["d"]


def test_a_webhook_that_is_done_is_forgotten_wherever_its_record_is(finished: Any) -> None:
    backlog = Backlog()
    backlog.put(finished("waits", webhook=b"{}"))
    under_way = backlog.take()
    backlog.forget_webhook("waits")
    waiting = backlog.find("waits")
    assert waiting is not None
    assert waiting.webhook is None
    backlog.settle(under_way)
    batch = backlog.take()
    assert [record.webhook for record in batch.records] == [None]
    assert batch.told == ["waits"]  # The file may hold what was under way.
    backlog.settle(batch)
    backlog.forget_webhook("written")
    assert backlog.has_more()
    assert backlog.take().told == ["written"]
    backlog.settle(backlog.take())
    assert not backlog.has_more()


def test_the_size_of_a_forgotten_webhook_comes_back(finished: Any) -> None:
    backlog = Backlog(max_bytes=10)
    backlog.put(finished("a", b"12345", webhook=b"12345"))
    backlog.forget_webhook("a")
    backlog.put(finished("b", b"12345"))
    assert backlog.given_up == 0


def test_news_of_webhooks_are_bounded() -> None:
    backlog = Backlog(max_records=2)
    for name in ("a", "b", "c"):
        backlog.forget_webhook(name)
    assert backlog.take().told == ["b", "c"]


def test_numbers_are_in_the_order_of_ends_and_before_that_of_beginnings(
    finished: Any, in_flight: Any
) -> None:
    backlog = Backlog()
    for name in "abc":
        backlog.put(in_flight(name, "starting"))
    backlog.put(in_flight("a"))
    backlog.put(finished("b"))
    assert backlog.take().numbers == [1, 4, 3]
    backlog.put(finished("a", webhook=b"{}"))
    backlog.forget_webhook("a")
    assert [(number, record.id) for number, record in backlog.finished()] == [(5, "a"), (4, "b")]
    backlog.settle(backlog.take())
    assert backlog.finished() == []
    assert backlog.next_number == 6
