"""The table: all of a batch or nothing, and exact counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store.backlog import Batch
from cogworks.server.store.database import connect
from cogworks.server.store.limits import Limits
from cogworks.server.store.records import Record
from cogworks.server.store.table import OLDEST_FIRST, PAGE, Kept, Table


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as connection:
        yield connection


def write(table: Table, *records: Record, oldest_at: float = 0.0) -> None:
    first = table.last_number() + 1
    table.write(Batch(list(records), list(range(first, first + len(records))), []), oldest_at)


def test_a_batch_that_fails_changes_nothing(connection: Any, finished: Any) -> None:
    table = Table(connection, Limits())
    write(table, finished("a"))
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON predictions WHEN new.id = 'c' "
        "BEGIN SELECT raise(FAIL, 'no room'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        write(table, finished("b"), finished("c"))
    assert table.find("b", 0) is None
    assert table._kept == Kept(1, 2)
    connection.execute("DROP TRIGGER full")
    write(table, finished("b"), finished("c"))
    assert table._kept == Kept(3, 6)


def test_counts_are_those_of_the_file(connection: Any, finished: Any, in_flight: Any) -> None:
    table = Table(connection, Limits(max_records=3, max_bytes=300_000))
    for number in range(20):
        write(table, in_flight(f"p{number}"), in_flight(f"r{number}", request=b"x" * 300_000))
        write(table, finished(f"p{number}", b"x" * number * 10_000), finished("p1"))
        assert table._kept == Table(connection, Limits())._kept
    assert len(table.in_flight()) == 20


def test_expired_records_are_removed_with_the_next_batch(
    connection: Any, finished: Any, clock: Any
) -> None:
    table = Table(connection, Limits())
    write(table, *[finished(f"p{number}") for number in range(10)])
    clock.advance(10)
    write(table, finished("new"), oldest_at=clock.now - 5)
    assert connection.execute("SELECT id FROM predictions").fetchall() == [("new",)]


def test_the_oldest_are_found_by_an_index(connection: Any) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {OLDEST_FIRST}").fetchall()
    assert len(plan) == 1  # No step that sorts.
    assert "COVERING INDEX finished" in plan[0][3]


def test_a_page_is_read_in_order_without_sorting(connection: Any) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {PAGE}", (9, 0.0, 9)).fetchall()
    assert [step[3] for step in plan] == ["SEARCH predictions USING INTEGER PRIMARY KEY (rowid<?)"]


def test_a_record_gets_a_new_number_when_it_is_over_and_only_then(
    connection: Any, finished: Any, in_flight: Any
) -> None:
    table = Table(connection, Limits())
    write(table, in_flight("a", "starting"), in_flight("b"))
    write(table, in_flight("a"))
    assert [record.id for record in table.in_flight()] == ["a", "b"]
    write(table, finished("a", b"x" * 300_000))
    write(table, finished("b"))
    assert [record.id for _, record in table.page(99, 9, 0.0)] == ["b", "a"]
    assert table.page(99, 9, 0.0)[1][1] == finished("a", b"x" * 300_000)
