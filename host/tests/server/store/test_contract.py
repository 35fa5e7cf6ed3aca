"""What every store does: the same tests for the one in memory and the one in a file."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cogworks.server.store import CursorError, Limits

NEWEST = (float("inf"), "")
"""A key above all others."""


def test_what_was_put_is_found_at_once(make_store: Any, finished: Any, play: Any) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        record = finished("a", b'{"id":"a"}', digest="d1")
        store.put(record)
        assert await store.find("a") == record
        assert await store.find("b") is None
        await store.close()

    play(scene())


def test_a_record_is_found_again_whole(
    make_store: Any, finished: Any, in_flight: Any, play: Any
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        record = in_flight("a", body=b"\x00\xff", request=b"{}", digest="d")
        store.put(record)
        over = finished("b", "ä€".encode())
        store.put(over)
        await store.list(1, None)  # Whatever was under way has arrived now.
        assert await store.find("a") == record
        assert await store.find("b") == over
        await store.close()

    play(scene())


@pytest.mark.parametrize("size_bytes", [0, 256 * 1024 - 1, 256 * 1024, 3 * 1024 * 1024 + 1])
def test_bodies_and_requests_of_any_size_are_kept(
    make_store: Any, finished: Any, in_flight: Any, play: Any, size_bytes: int
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        data = (b"0123456789abcdef" * (size_bytes // 16 + 1))[:size_bytes]
        for record in (
            in_flight("a", body=data, request=data[::-1]),
            in_flight("a", body=data[::-1], request=data),
            finished("a", data),
        ):
            store.put(record)
            await store.list(1, None)
            assert await store.find("a") == record
        await store.close()

    play(scene())


def test_a_later_version_takes_the_place_of_an_earlier_one(
    make_store: Any, finished: Any, in_flight: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        store.put(in_flight("a", "starting"))
        await store.list(9, None)
        store.put(in_flight("b", "starting"))
        store.put(in_flight("a"))
        assert (await store.find("a")).status == "processing"
        assert await store.list(9, None) == ([], None)
        store.put(finished("a"))
        assert (await store.find("a")).status == "succeeded"
        assert (await store.find("b")).status == "starting"
        assert ids_of((await store.list(9, None)).records) == ["a"]
        await store.close()

    play(scene())


def test_what_is_over_stays_as_it_is(
    make_store: Any, finished: Any, in_flight: Any, play: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_bytes=10))
        await store.open()
        first = finished("a", b"first")
        for late in (first, finished("a", b"x" * 100), in_flight("a")):
            store.put(late)
            assert await store.find("a") == first
        await store.list(9, None)
        store.put(finished("a", b"y" * 100))
        await store.list(9, None)
        assert await store.find("a") == first
        store.put(finished("b", b"12345"))  # Fits beside the first, the late ones left no trace.
        assert len((await store.list(9, None)).records) == 2
        await store.close()

    play(scene())


def test_the_last_to_end_comes_first_whichever_began_first(
    make_store: Any, finished: Any, in_flight: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        for name in "abcd":
            store.put(in_flight(name, "starting"))
        await store.list(9, None)
        for name in "cad":
            store.put(in_flight(name))
            store.put(finished(name))
        assert ids_of((await store.list(9, None)).records) == ["d", "a", "c"]
        store.put(finished("b"))
        assert ids_of((await store.list(2, None)).records) == ["b", "d"]
        await store.close()

    play(scene())


def test_what_has_ended_since_a_number_is_told_apart(
    make_store: Any, finished: Any, in_flight: Any, play: Any, clock: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        store.put(in_flight("runs"))
        records = [finished(name, created_at=at) for name, at in [("a", 1), ("b", 3), ("c", 2)]]
        store.put(records[0])
        number = store.next_number
        assert await store.list_since(number, NEWEST, 9) == []
        for record in [*records[1:], finished("z", created_at=2)]:
            store.put(record)
        assert ids_of((await store.list(9, str(number))).records) == ["a"]
        assert ids_of(await store.list_since(number, NEWEST, 9)) == ["b", "z", "c"]
        assert ids_of(await store.list_since(number, NEWEST, 2)) == ["b", "z"]
        assert ids_of(await store.list_since(number, (2.0, "z"), 9)) == ["c"]
        assert ids_of(await store.list_since(0, (2.0, "c"), 9)) == ["a"]
        await store.close()

    play(scene())


def test_a_later_store_goes_on_counting_where_all_earlier_ones_ended(
    make_store: Any, finished: Any, play: Any, clock: Any
) -> None:
    async def scene() -> None:
        number = 0
        for _ in range(3):
            store = make_store(Limits(max_age_s=1))
            await store.open()
            assert store.next_number > number
            store.put(finished("a"))
            assert store.next_number > number
            number = store.next_number
            await store.close()
            clock.advance(100)  # Nothing is left of it.

    play(scene())


def test_pages_follow_each_other_from_the_last_to_end(
    make_store: Any, finished: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        assert await store.list(3, None) == ([], None)
        for number in range(7):
            store.put(finished(f"p{number}"))
        records, cursor = await store.list(3, None)
        assert ids_of(records) == ["p6", "p5", "p4"]
        store.put(finished("p7"))  # What comes meanwhile does not shift the next page.
        records, cursor = await store.list(3, cursor)
        assert ids_of(records) == ["p3", "p2", "p1"]
        records, cursor = await store.list(3, cursor)
        assert ids_of(records) == ["p0"]
        assert cursor is None
        assert (await store.list(8, None)).next_cursor is None
        await store.close()

    play(scene())


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "²", "9" * 19, "1 ", "\0"])
def test_a_cursor_that_we_never_gave_is_refused(make_store: Any, play: Any, cursor: str) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        with pytest.raises(CursorError, match="is unknown") as caught:
            await store.list(1, cursor)
        assert isinstance(caught.value, ValueError)
        await store.close()

    play(scene())


def test_the_oldest_go_when_there_are_too_many(
    make_store: Any, finished: Any, play: Any, clock: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_records=3))
        await store.open()
        for number in range(5):
            clock.advance(1)
            store.put(finished(f"p{number}"))
        records, _ = await store.list(9, None)
        assert ids_of(records) == ["p4", "p3", "p2"]
        assert await store.find("p1") is None
        await store.close()

    play(scene())


def test_the_oldest_go_when_they_are_too_large(
    make_store: Any, finished: Any, play: Any, clock: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_bytes=10))
        await store.open()
        for number, size_bytes in enumerate([4, 4, 4, 1]):
            clock.advance(1)
            store.put(finished(f"p{number}", b"x" * size_bytes))
        assert ids_of((await store.list(9, None)).records) == ["p3", "p2", "p1"]
        clock.advance(1)
        store.put(finished("large", b"x" * 1000))
        assert ids_of((await store.list(9, None)).records) == ["large"]
        await store.close()

    play(scene())


def test_what_is_too_old_is_no_longer_found(
    make_store: Any, finished: Any, in_flight: Any, play: Any, clock: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_age_s=10))
        await store.open()
        store.put(in_flight("runs"))
        store.put(finished("old"))
        await store.list(9, None)
        clock.advance(10)
        assert await store.find("old") is not None
        clock.advance(0.5)
        assert await store.find("old") is None
        assert ids_of((await store.list(9, None)).records) == []
        assert await store.list_since(0, NEWEST, 9) == []
        assert await store.find("runs") is not None
        await store.close()

    play(scene())


def test_an_id_can_come_again_when_it_has_expired(
    make_store: Any, finished: Any, in_flight: Any, play: Any, clock: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_age_s=10))
        await store.open()
        store.put(finished("late", completed_at=clock.now + 5))
        store.put(finished("a", b"1"))
        await store.list(9, None)
        clock.advance(11)
        store.put(in_flight("a"))
        assert (await store.find("a")).status == "processing"
        store.put(finished("a", b"2"))
        await store.list(9, None)
        assert (await store.find("a")).body == b"2"
        await store.close()

    play(scene())


def test_what_is_in_flight_is_never_given_up(
    make_store: Any, finished: Any, in_flight: Any, play: Any, clock: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = make_store(Limits(max_records=1, max_age_s=1, max_bytes=1))
        await store.open()
        running = [in_flight(f"r{number}", body=b"x" * 100) for number in range(5)]
        for number, record in enumerate(running):
            store.put(record)
            store.put(finished(f"p{number}"))
            clock.advance(100)
        await store.list(9, None)
        assert [await store.find(record.id) for record in running] == running
        await store.close()

    play(scene())


def test_after_the_end_records_are_ignored(make_store: Any, finished: Any, play: Any) -> None:
    async def scene() -> None:
        store = make_store()
        await store.open()
        await store.close()
        store.put(finished("a"))
        await store.close()

    play(scene())


def test_a_record_cannot_be_changed(finished: Any) -> None:
    record = finished("a")
    with pytest.raises(AttributeError):
        record.status = "failed"
    assert msgspec.structs.replace(record, status="failed").status == "failed"
