"""Stores of both kinds, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store.limits import DEFAULT_LIMITS, Limits
from cogworks.server.store.memory import MemoryStore
from cogworks.server.store.protocol import Store
from cogworks.server.store.records import Record
from cogworks.server.store.sqlite import SqliteStore

NOW = 1_000_000.0
TIMEOUT_S = 30.0


class FakeClock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: Any, path: Path, clock: FakeClock) -> Callable[..., Store]:
    def make(limits: Limits = DEFAULT_LIMITS) -> Store:
        if request.param == "memory":
            return MemoryStore(limits, clock=clock)
        return SqliteStore(path, limits, clock=clock)

    return make


@pytest.fixture
def finished(clock: FakeClock) -> Callable[..., Record]:
    """Make the record of a prediction that is over now."""

    def make(prediction_id: str, body: bytes = b"{}", **changes: Any) -> Record:
        values: dict[str, Any] = {"created_at": clock.now, "completed_at": clock.now, **changes}
        return Record(prediction_id, "succeeded", body=body, **values)

    return make


@pytest.fixture
def in_flight(clock: FakeClock) -> Callable[..., Record]:
    """Make the record of a prediction that is not over."""

    def make(prediction_id: str, status: str = "processing", **changes: Any) -> Record:
        values: dict[str, Any] = {"body": b"{}", "request": b'{"input":{}}', **changes}
        return Record(prediction_id, status, clock.now, None, **values)

    return make


@pytest.fixture
def play() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run the coroutine of a test to its end."""

    def run(scene: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(scene, TIMEOUT_S))

    return run


@pytest.fixture
def ids_of() -> Callable[[Sequence[Record]], list[str]]:
    return lambda records: [record.id for record in records]
