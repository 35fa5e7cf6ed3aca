"""The table: all of a batch or nothing, and exact counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store.database import connect
from cogworks.server.store.limits import Limits
from cogworks.server.store.table import OLDEST_FIRST, Kept, Table


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as connection:
        yield connection


def test_a_batch_that_fails_changes_nothing(connection: Any, finished: Any) -> None:
    table = Table(connection, Limits())
    table.write([finished("a")], 0)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON predictions WHEN new.id = 'c' "
        "BEGIN SELECT raise(FAIL, 'no room'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        table.write([finished("b"), finished("c")], 0)
    assert table.find("b", 0) is None
    assert table._kept == Kept(1, 2)
    connection.execute("DROP TRIGGER full")
    table.write([finished("b"), finished("c")], 0)
    assert table._kept == Kept(3, 6)


def test_counts_are_those_of_the_file(connection: Any, finished: Any, in_flight: Any) -> None:
    table = Table(connection, Limits(max_records=3, max_bytes=300_000))
    for number in range(20):
        table.write([in_flight(f"p{number}"), in_flight(f"r{number}", request=b"x" * 300_000)], 0)
        table.write([finished(f"p{number}", b"x" * number * 10_000), finished("p1")], 0)
        assert table._kept == Table(connection, Limits())._kept
    assert len(table.in_flight()) == 20


def test_expired_records_are_removed_with_the_next_batch(
    connection: Any, finished: Any, clock: Any
) -> None:
    table = Table(connection, Limits())
    table.write([finished(f"p{number}") for number in range(10)], 0)
    clock.advance(10)
    table.write([finished("new")], clock.now - 5)
    assert connection.execute("SELECT id FROM predictions").fetchall() == [("new",)]


def test_the_oldest_are_found_by_an_index(connection: Any) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {OLDEST_FIRST}").fetchall()
    assert len(plan) == 1  # No step that sorts.
    assert "COVERING INDEX finished" in plan[0][3]
