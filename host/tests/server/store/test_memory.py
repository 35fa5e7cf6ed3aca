"""The store in memory keeps to its limits, whatever is put into it."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cogworks.server.store import Limits, MemoryStore, Record

LIMITS = Limits(max_records=4, max_age_s=5, max_bytes=40)

STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),  # id
        st.booleans(),  # is it over?
        st.integers(0, 50),  # bytes
        st.integers(0, 3),  # seconds that pass before
    ),
    max_size=60,
)


@given(STEPS)
def test_random_histories_stay_within_the_limits(steps: Any) -> None:
    now = 0.0
    store = MemoryStore(LIMITS, clock=lambda: now)
    model: dict[str, Record] = {}  # Everything that was ever put and accepted.

    async def scene() -> None:
        nonlocal now
        for prediction_id, is_over, size_bytes, seconds in steps:
            now += seconds
            known = await store.find(prediction_id)
            completed_at = now if is_over else None
            body = b"x" * size_bytes
            record = Record(prediction_id, "?", now, completed_at, body)
            store.put(record)
            if known is None or not known.is_finished:
                model[prediction_id] = record
            await check()

    async def check() -> None:
        records, cursor = await store.list(1000, None)
        assert cursor is None
        assert all(record == model[record.id] for record in records)
        assert len({record.id for record in records}) == len(records)
        size_bytes = sum(record.size_bytes for record in records)
        assert len(records) <= LIMITS.max_records
        assert size_bytes <= LIMITS.max_bytes or len(records) == 1
        assert all(record.is_finished for record in records)
        assert all(now - (record.completed_at or 0) <= LIMITS.max_age_s for record in records)
        for record in model.values():
            assert record.is_finished or await store.find(record.id) is record

    asyncio.run(scene())


@given(STEPS, st.integers(1, 7))
def test_pages_of_any_size_make_up_the_whole_list(steps: Any, limit: int) -> None:
    store = MemoryStore(Limits(max_records=50), clock=lambda: 0.0)

    async def scene() -> None:
        for prediction_id, is_over, size_bytes, _ in steps:
            completed_at = 0.0 if is_over else None
            store.put(Record(prediction_id, "?", 0.0, completed_at, b"x" * size_bytes))
        whole, _ = await store.list(1000, None)
        pages: list[Record] = []
        cursor: str | None = None
        while True:
            records, cursor = await store.list(limit, cursor)
            assert len(records) <= limit
            pages += records
            if cursor is None:
                break
            assert records
        assert pages == list(whole)

    asyncio.run(scene())


def test_what_has_expired_takes_no_memory_any_more() -> None:
    now = 0.0
    store = MemoryStore(Limits(max_age_s=5), clock=lambda: now)

    async def scene() -> None:
        nonlocal now
        for name in "abc":
            store.put(Record(name, "?", now, now, b"x" * 100))
        now = 6.0
        assert await store.find("other") is None
        assert store._finished_bytes == 0
        assert not store._records

    asyncio.run(scene())
