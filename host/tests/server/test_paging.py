"""The list of predictions, page by page, while they begin, end and are given up between the pages."""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogworks.server.paging import CURSOR, Place, list_page
from cogworks.server.predictions import Canceled, Prediction
from cogworks.server.run import Run
from cogworks.server.store import CursorError, Limits, MemoryStore, Record, Store
from cogworks.server.store.sqlite import SqliteStore

FOREVER_S = 1e12
STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "begin", "end", "page"]), st.integers(0, 9)), max_size=50
)


class House:
    """Predictions in flight, and a store of those that are over; every other one is in it before."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.runs: dict[str, Run] = {}
        self.count = 0

    def begin(self, created_at: float) -> None:
        name = f"p{self.count}"
        self.count += 1
        run = self.runs[name] = Run(Prediction(name, {}, created_at), name, {})
        if self.count % 2:
            self.store.put(Record(name, "starting", created_at, None, run.body()))

    def end(self, name: str) -> None:
        run = self.runs.pop(name)
        run.apply(Canceled(1.0))
        self.store.put(Record(name, "canceled", run.prediction.created_at, 1.0, run.body()))

    def end_any(self, number: int) -> None:
        if self.runs:
            self.end(list(self.runs)[number % len(self.runs)])

    async def page(self, limit: int, cursor: str | None) -> tuple[list[str], str | None]:
        bodies, following = await list_page(self.runs.values(), self.store, limit, cursor)
        assert len(bodies) <= limit
        return [json.loads(body)["id"] for body in bodies], following

    async def whole(self, limit: int) -> list[str]:
        """Return the list, from pages between which nothing happens."""
        names, cursor = await self.page(limit, None)
        while cursor is not None:
            more, cursor = await self.page(limit, cursor)
            assert more
            names += more
        return names

    async def known(self) -> set[str]:
        names = [f"p{number}" for number in range(self.count)]
        return {name for name in names if name in self.runs or await self.store.find(name)}


def open_store(is_durable: bool, factory: pytest.TempPathFactory, max_records: int = 1000) -> Store:
    limits = Limits(max_records=max_records, max_age_s=FOREVER_S)
    if is_durable:
        return SqliteStore(factory.mktemp("store") / "runs.db", limits)
    return MemoryStore(limits)


@pytest.mark.parametrize("is_durable", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_what_is_in_flight_comes_first_and_counts(
    tmp_path_factory: pytest.TempPathFactory, play: Any, is_durable: bool, limit: int
) -> None:
    async def scene() -> None:
        house = House(open_store(is_durable, tmp_path_factory))
        await house.store.open()
        assert await house.whole(limit) == []
        for number in range(6):
            house.begin(float(number))
        assert await house.whole(limit) == ["p5", "p4", "p3", "p2", "p1", "p0"]
        for name in ("p1", "p4", "p3"):
            house.end(name)
        assert await house.whole(limit) == ["p5", "p2", "p0", "p3", "p4", "p1"]
        for name in ("p5", "p2", "p0"):
            house.end(name)
        assert await house.whole(limit) == ["p0", "p2", "p5", "p3", "p4", "p1"]
        await house.store.close()

    play(scene())


@pytest.mark.parametrize("is_durable", [False, True])
def test_one_that_ends_between_two_pages_keeps_its_place(
    tmp_path_factory: pytest.TempPathFactory, play: Any, is_durable: bool
) -> None:
    async def scene() -> None:
        house = House(open_store(is_durable, tmp_path_factory))
        await house.store.open()
        for number in range(5):
            house.begin(float(number))
        house.end("p0")
        names, cursor = await house.page(2, None)
        assert names == ["p4", "p3"]
        house.end("p4")  # It was shown, so not again.
        house.end("p2")  # It was not, so here and not at the end.
        house.begin(9.0)
        house.end("p5")  # It was not there at the first page.
        names, cursor = await house.page(1, cursor)
        assert names == ["p2"]
        house.end("p1")
        names, cursor = await house.page(9, cursor)
        assert (names, cursor) == (["p1", "p0"], None)
        await house.store.close()

    play(scene())


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(STEPS, st.booleans(), st.integers(1, 4), st.sampled_from([3, 1000]))
def test_nothing_is_seen_twice_and_nothing_that_stays_is_missed(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int]],
    is_durable: bool,
    limit: int,
    max_records: int,
) -> None:
    async def scene() -> None:
        house = House(open_store(is_durable, tmp_path_factory, max_records))
        await house.store.open()
        there: set[str] | None = None
        seen: list[str] = []
        cursor: str | None = None
        for kind, number in [*steps, *[("page", 0)] * 60]:
            if kind == "begin":
                house.begin(float(number % 4))  # Clocks may be set back.
            elif kind == "end":
                house.end_any(number)
            elif there is None or cursor is not None:
                there = await house.known() if there is None else there
                names, cursor = await house.page(limit, cursor)
                seen += names
        assert cursor is None
        assert len(set(seen)) == len(seen)
        assert there is not None
        assert there & await house.known() <= set(seen)
        await house.store.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "cursor", ["", "x", "1.2", "1.zz.a", f"{'9' * 19}.{'0' * 16}.a", f"1.{'0' * 16}.", "1.0.a/b"]
)
def test_a_cursor_that_nobody_gave_is_refused(play: Any, cursor: str) -> None:
    async def scene() -> None:
        with pytest.raises(CursorError):
            await list_page([], MemoryStore(), 9, cursor)

    play(scene())


def test_a_forged_place_shows_nothing_that_is_not_there(play: Any) -> None:
    async def scene() -> None:
        house = House(MemoryStore())
        house.begin(1.0)
        for bits in ("7ff8000000000000", "fff0000000000000", "f" * 16):  # No number, and below all.
            assert await house.page(9, f"0.{bits}.a") == ([], None)
        assert await house.page(9, f"{'9' * 18}.7ff0000000000000.a") == (["p0"], None)

    play(scene())


@given(st.floats(0, 1e12), st.from_regex(r"[A-Za-z0-9._~-]{1,200}", fullmatch=True))
def test_a_place_comes_back_from_its_cursor(created_at: float, name: str) -> None:
    place = Place(17, created_at, name)
    assert Place.parse(str(place)) == place
    assert re.search(CURSOR, str(place))
    assert Place.parse(str(Place(1, math.inf, "a"))) == (1, math.inf, "a")


@pytest.mark.slow
@pytest.mark.parametrize("is_durable", [False, True])
def test_a_client_pages_through_the_queue_of_a_server(
    launch_server: Any, tmp_path: Any, is_durable: bool
) -> None:
    store = ["--store", f"sqlite:///{tmp_path}/runs.db"] if is_durable else []
    server = launch_server("sleeps", *store, COG_QUEUE_SIZE="9")

    def begin(name: str, seconds: float) -> None:
        body = {"id": name, "input": {"seconds": seconds}}
        answer = server.client.post("/predictions", json=body, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202

    def get(url: str) -> tuple[list[tuple[str, str]], Any]:
        page = server.client.get(url).json()
        return [(item["id"], item["status"]) for item in page["results"]], page["next"]

    server.client.put("/predictions/over", json={"input": {"seconds": 0}})
    for number in range(5):
        begin(f"p{number}", 60)
    names, following = get("/predictions?limit=2")
    assert names == [("p4", "starting"), ("p3", "starting")]
    for name in ("p4", "p2"):
        server.client.delete(f"/predictions/{name}")
    begin("new", 60)
    names, following = get(following)
    assert names == [("p2", "canceled"), ("p1", "starting")]
    names, following = get(following)
    assert names == [("p0", "processing"), ("over", "succeeded")]
    assert following is None
    names, _ = get("/predictions?limit=3")
    assert [name for name, _ in names] == ["new", "p3", "p1"]
    for name in ("new", "p3", "p1", "p0"):
        server.client.delete(f"/predictions/{name}")
