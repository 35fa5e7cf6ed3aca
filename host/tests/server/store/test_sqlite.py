"""The store in a file: what outlives which end, and what a disk that fails does to the others."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store import Limits, Record, StoreError
from cogworks.server.store import sqlite as module
from cogworks.server.store.backlog import Backlog, Batch
from cogworks.server.store.cursor import END
from cogworks.server.store.database import connect
from cogworks.server.store.sqlite import SqliteStore
from cogworks.server.store.table import Table

FOREVER = Limits(max_records=10**9, max_age_s=1e12)


def limit_pages(store: SqliteStore, pages: int) -> None:
    """Let the disk be full at this size of the file, as SQLite sees it."""
    table = store._table
    assert table is not None
    query = f"PRAGMA max_page_count = {pages}"
    store._executor.submit(lambda: table._connection.execute(query).fetchall()).result()


def test_what_is_over_is_found_by_the_next_server(path: Path, finished: Any, play: Any) -> None:
    async def scene() -> None:
        records = [finished(f"p{number}", b"x" * number * 1000) for number in range(400)]
        first = SqliteStore(path, FOREVER)
        await first.open()
        for record in records:
            first.put(record)
        await first.close()
        assert sorted(path.parent.iterdir()) == [path]  # All is in the file, no log is left.
        second = SqliteStore(path, FOREVER)
        assert await second.open() == []
        assert [await second.find(record.id) for record in records] == records
        assert list((await second.list(1000, None)).records) == records[::-1]
        await second.close()

    play(scene())


def test_what_was_in_flight_is_told_to_the_next_server_in_order(
    path: Path, finished: Any, in_flight: Any, play: Any
) -> None:
    async def scene() -> None:
        first = SqliteStore(path, FOREVER)
        await first.open()
        for name in "zyxw":
            first.put(in_flight(name, "starting", request=b"how to run " + name.encode()))
        first.put(finished("y"))
        first.put(in_flight("z"))
        await first.close()
        second = SqliteStore(path, FOREVER)
        lost = await second.open()
        assert [record.id for record in lost] == ["z", "x", "w"]
        assert lost[1].request == b"how to run x"
        assert await second.find("z") == lost[0]
        second.put(finished("z"))
        assert [record.id for record in (await second.list(9, None)).records] == ["z", "y"]
        await second.close()
        third = SqliteStore(path, FOREVER)
        assert [record.id for record in await third.open()] == ["x", "w"]
        await third.close()

    play(scene())


def test_a_record_that_waits_for_the_disk_is_found(path: Path, finished: Any, play: Any) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        gate = threading.Event()
        store._executor.submit(gate.wait)
        store.put(finished("a"))
        assert (await store.find("a")) is not None  # Without waiting for the thread.
        gate.set()
        await store.close()

    play(scene())


def test_records_are_written_without_anybody_asking(path: Path, finished: Any, play: Any) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        for name in "abc":
            store.put(finished(name))
            await store.find("other")  # Comes after the write in the thread.
            assert not store._backlog
        await store.close()

    play(scene())


def test_two_stores_on_one_file_are_refused(path: Path, finished: Any, play: Any) -> None:
    async def scene() -> None:
        first = SqliteStore(path)
        await first.open()
        second = SqliteStore(path)
        with pytest.raises(StoreError, match="another server uses it"):
            await second.open()
        await second.close()
        first.put(finished("a"))
        await first.close()

    play(scene())


def test_to_ask_before_it_is_open_is_an_error(path: Path, play: Any) -> None:
    async def scene() -> None:
        store = SqliteStore(path)
        with pytest.raises(StoreError, match="it is not open"):
            await store.find("a")
        await store.close()

    play(scene())


def test_a_full_disk_is_logged_once_and_serving_goes_on(
    path: Path, finished: Any, in_flight: Any, play: Any, caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    caplog.set_level(logging.WARNING)

    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        store.put(in_flight("early"))
        await store.list(1, None)
        limit_pages(store, 20)
        for number in range(100):
            store.put(finished(f"p{number}", b"x" * 9000))
            await asyncio.sleep(0)
        store.put(finished("early", b"end"))
        names = ["early"] + [f"p{number}" for number in reversed(range(100))]
        for name in names:
            assert await store.find(name) is not None
        records, cursor = await store.list(70, None)
        assert [record.id for record in records] == names[:70]
        assert records[0].body == b"end"
        records, cursor = await store.list(70, cursor)
        assert [record.id for record in records] == names[70:]
        since = await store.list_since(0, (END, ""), 1000)
        assert sorted(record.id for record in since) == sorted(names)
        early = await store.find("early")
        assert early is not None
        assert early.body == b"end"
        assert [record.getMessage() for record in caplog.records] == [
            f"predictions are kept in memory only for now, the disk is full: store {path}"
        ]
        limit_pages(store, 10**6)
        store.put(finished("last"))
        assert len((await store.list(1000, None)).records) == 102
        assert [record.getMessage() for record in caplog.records][1:] == [
            f"predictions are kept again: store {path}"
        ]
        await store.close()

    play(scene())


def test_what_there_was_no_room_for_is_logged_in_one_line(
    path: Path, finished: Any, play: Any, caplog: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER, backlog=Backlog(max_records=5))
        await store.open()
        gate = threading.Event()
        store._executor.submit(gate.wait)
        for number in range(20):
            store.put(finished(f"p{number}"))
        gate.set()
        assert len((await store.list(99, None)).records) == 5
        await store.close()
        assert [record.getMessage() for record in caplog.records] == [
            f"15 predictions are not kept, too many waited for the disk: store {path}"
        ]

    play(scene())


def test_a_failing_disk_is_left_alone_for_a_while(
    path: Path, finished: Any, play: Any, caplog: Any, monkeypatch: Any
) -> None:
    tries: list[int] = []
    original = Table.write

    def count(self: Table, batch: Batch, oldest_at: float) -> None:
        tries.append(len(batch.records))
        original(self, batch, oldest_at)

    monkeypatch.setattr(Table, "write", count)

    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        limit_pages(store, 1)
        store.put(finished("first", b"x" * 100_000))
        await store.find("other")
        for number in range(50):
            store.put(finished(f"p{number}", b"x" * 100_000))
        await store.list(9, None)
        assert tries == [1]
        await store.close()
        assert "51 predictions are lost" in caplog.text

    play(scene())


def test_one_whose_end_was_given_up_is_unknown_instead_of_in_flight_for_ever(
    path: Path, finished: Any, in_flight: Any, play: Any, caplog: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER, backlog=Backlog(max_records=2))
        await store.open()
        store.put(in_flight("a"))
        store.put(in_flight("b"))
        assert (await store.list(9, None)).records == []
        limit_pages(store, 1)
        store.put(finished("a", b"x" * 100_000))
        await store.find("other")  # That was tried by now.
        store.put(finished("p0"))
        store.put(finished("p1"))
        assert await store.find("a") is None
        assert [record.id for record in (await store.list(9, None)).records] == ["p1", "p0"]
        assert await store.find("b") is not None
        await store.close()

    play(scene())


def test_a_record_that_no_row_can_hold_is_left_out(
    path: Path, finished: Any, play: Any, caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1000)

    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        store.put(finished("large", b"x" * 1001))
        store.put(finished("a"))
        assert await store.find("large") is None
        assert await store.find("a") is not None
        assert "prediction not kept, 1001 bytes: prediction=large" in caplog.text
        await store.close()

    play(scene())


def test_a_fault_of_ours_costs_one_batch_not_the_server(
    path: Path, finished: Any, play: Any, caplog: Any, monkeypatch: Any
) -> None:
    def fail(self: Table, batch: Batch, oldest_at: float) -> None:
        raise RuntimeError("a fault")

    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        with monkeypatch.context() as patch:
            patch.setattr(Table, "write", fail)
            store.put(finished("a"))
            assert await store.find("other") is None
        store.put(finished("b"))
        assert [record.id for record in (await store.list(9, None)).records] == ["b"]
        assert "1 predictions are not kept" in caplog.text
        await store.close()

    play(scene())


def test_a_read_that_fails_is_an_error_with_the_file_in_it(
    path: Path, finished: Any, play: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        table = store._table
        assert table is not None
        drop = "DROP TABLE predictions"
        store._executor.submit(lambda: table._connection.execute(drop).fetchall()).result()
        with pytest.raises(StoreError, match=r"runs\.db: no such table"):
            await store.find("a")
        await store.close()

    play(scene())


def test_random_histories_are_the_same_after_a_restart(
    path: Path, finished: Any, in_flight: Any, play: Any
) -> None:
    dice = random.Random(7)

    async def scene() -> None:
        expected: dict[str, Record] = {}
        for _ in range(5):
            store = SqliteStore(path, FOREVER)
            lost = await store.open()
            assert list(lost) == [r for r in expected.values() if not r.is_finished]
            for _ in range(300):
                name = f"p{dice.randrange(200)}"
                make = dice.choice([finished, in_flight])
                record = make(name, body=dice.randbytes(dice.choice([5, 500, 300_000])))
                store.put(record)
                known = expected.get(name)
                if known is None or not known.is_finished:
                    if record.is_finished:
                        expected.pop(name, None)  # It goes to the end of the list.
                    expected[name] = record
                if dice.random() < 0.1:
                    await store.find(name)
            records, _ = await store.list(1000, None)
            assert list(records) == [r for r in expected.values() if r.is_finished][::-1]
            await store.close()

    play(scene())


KILLED = """
import asyncio, itertools, pathlib, sys
from cogworks.server.store import Limits, Record
from cogworks.server.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(pathlib.Path(sys.argv[1]), Limits(max_records=10**9, max_age_s=1e12))
    await store.open()
    for number in itertools.count(int(sys.argv[2])):
        body = str(number).encode() * (100_000 if number % 50 == 0 else 100)
        store.put(Record(f"p{number}", "processing", number, None, b"?", None, b"again"))
        await asyncio.sleep(0)
        store.put(Record(f"p{number}", "succeeded", number, number, body))
        if number % 10 == 9:
            await store.list(1, None)
            print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_sound_file_with_all_that_was_written(path: Path) -> None:
    dice = random.Random(3)
    start = 0
    for _ in range(6):
        written = start - 1
        command = [sys.executable, "-c", KILLED, str(path), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            for _ in range(dice.randrange(1, 40)):
                written = int(server.stdout.readline())
            server.send_signal(signal.SIGKILL)
            written = int([str(written), *server.stdout.read().decode().split()][-1])
        with closing(connect(path)) as connection:  # Checks every page.
            table = Table(connection, FOREVER)
            records = [record for _, record in reversed(table.page(END, 10**9, 0.0))]
            records += table.in_flight()
        start = sum(record.is_finished for record in records)
        assert start > written
        assert len(records) - start in (0, 1)  # The last one may be in flight.
        for number, record in enumerate(records):  # In order, without a gap.
            assert record.id == f"p{number}"
            if number < start:
                assert record.body == str(number).encode() * (100_000 if number % 50 == 0 else 100)
            else:
                assert record.request == b"again"


async def count_turns(work: Coroutine[Any, Any, Any]) -> int:
    """Return how often other work had its turn on the event loop while ``work`` was done."""
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    await task
    return turns


@pytest.mark.slow
def test_large_bodies_do_not_hold_up_the_event_loop(path: Path, finished: Any, play: Any) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        body = bytes(100 * 1024 * 1024)

        async def write_and_read(name: str) -> None:
            store.put(finished(name, body))
            await store.list(1, None)
            assert await store.find(name) is not None

        # Were the body written or read on the loop, there would be a handful of turns.
        assert await count_turns(write_and_read("a")) > 100
        await store.close()

    play(scene())


def test_the_file_can_be_read_by_other_tools_when_the_server_has_ended(
    path: Path, finished: Any, play: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, FOREVER)
        await store.open()
        store.put(finished("a", b'{"id":"a"}'))
        await store.close()

    play(scene())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, body FROM predictions").fetchall() == [
            ("a", b'{"id":"a"}')
        ]
