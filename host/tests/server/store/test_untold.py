"""Ends that are still to be told, after the server that should have told them is gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from cogworks.server.store.limits import Limits
from cogworks.server.store.sqlite import SqliteStore

LARGE = 1 << 40
HOOK = b'{"url":"http://x/"}'


def test_the_next_server_knows_what_was_not_told(
    path: Path, finished: Any, in_flight: Any, clock: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, clock=clock)
        await store.open()
        for name in ("a", "told", "late", "b"):
            clock.advance(1)
            store.put(finished(name, webhook=HOOK))
        store.put(finished("without"))
        store.put(in_flight("runs"))
        store.forget_webhook("told")
        await store.flush("b")
        store.forget_webhook("late")
        await store.close()
        store = SqliteStore(path, clock=clock)
        await store.open()
        records = await store.untold(10, LARGE)
        assert ids_of(records) == ["a", "b"]
        assert records[0] == finished(
            "a",
            webhook=HOOK,
            created_at=records[0].created_at,
            completed_at=records[0].completed_at,
        )
        await store.close()

    play(scene())


def test_the_newest_are_told_where_there_are_too_many(
    path: Path, finished: Any, clock: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, clock=clock)
        await store.open()
        for number in range(5):
            clock.advance(1)
            store.put(finished(f"p{number}", b"x" * 100, webhook=HOOK))
        await store.flush("p4")
        assert ids_of(await store.untold(3, LARGE)) == ["p2", "p3", "p4"]
        assert ids_of(await store.untold(10, 250)) == ["p3", "p4"]
        assert ids_of(await store.untold(10, 1)) == ["p4"]
        await store.close()

    play(scene())


def test_what_has_expired_is_not_told_any_more(
    path: Path, finished: Any, clock: Any, play: Any, ids_of: Any
) -> None:
    async def scene() -> None:
        store = SqliteStore(path, Limits(max_age_s=60), clock=clock)
        await store.open()
        store.put(finished("old", webhook=HOOK))
        await store.flush("old")
        clock.advance(61)
        assert ids_of(await store.untold(10, LARGE)) == []
        await store.close()

    play(scene())


def test_what_was_flushed_survives_without_an_orderly_end(
    path: Path, in_flight: Any, play: Any, ids_of: Any
) -> None:
    copy = path.with_name("copy.db")

    async def scene() -> None:
        store = SqliteStore(path)
        await store.open()
        store.put(in_flight("a", "starting", request=b"{}"))
        await store.flush("a")
        await store.flush("never put")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{copy}{ending}")
        other = SqliteStore(copy)
        assert ids_of(await other.open()) == ["a"]
        await other.close()
        await store.close()
        await store.flush("a")  # Nothing happens.

    play(scene())
