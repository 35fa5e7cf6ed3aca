"""The scope of the running prediction, and who sees it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cog import current_scope
from cog.scope import Scope, enter_scope, exit_scope


def scope_of(name: str, recorded: list[Any]) -> Scope:
    def record(key: str, value: Any, mode: str) -> None:
        recorded.append((name, key, value, mode))

    return Scope({"name": name}, record)


def test_outside_a_prediction_everything_is_accepted_and_forgotten() -> None:
    scope = current_scope()
    assert dict(scope.context) == {}
    scope.record_metric("any name at all", object())
    scope.metrics.record("x", 1)
    scope.metrics.delete("x")
    scope.metrics["x"] = "another type"
    del scope.metrics["x"]


def test_outside_a_prediction_a_wrong_mode_is_still_an_error() -> None:
    with pytest.raises(TypeError, match="mode"):
        current_scope().record_metric("x", 1, mode="add")


def test_the_context_outside_cannot_be_filled() -> None:
    context: Any = current_scope().context
    with pytest.raises(TypeError):
        context["x"] = "y"


def test_inside_it_is_the_entered_one() -> None:
    scope = scope_of("one", [])
    token = enter_scope(scope)
    assert current_scope() is scope
    assert current_scope().context == {"name": "one"}
    exit_scope(token)
    assert current_scope() is not scope


def test_scopes_nest() -> None:
    outer, inner = scope_of("outer", []), scope_of("inner", [])
    first = enter_scope(outer)
    second = enter_scope(inner)
    assert current_scope() is inner
    exit_scope(second)
    assert current_scope() is outer
    exit_scope(first)


def test_metrics_are_made_when_they_are_needed() -> None:
    scope = scope_of("one", [])
    assert scope.metrics is scope.metrics


def test_recording_reaches_the_owner() -> None:
    recorded: list[Any] = []
    scope_of("one", recorded).record_metric("x", 1, mode="incr")
    assert recorded == [("one", "x", 1, "increment")]


def test_tasks_see_their_own_prediction() -> None:
    recorded: list[Any] = []

    async def predict(name: str) -> None:
        token = enter_scope(scope_of(name, recorded))
        await asyncio.sleep(0)
        current_scope().record_metric("x", 1)
        await asyncio.create_task(measure_later())
        exit_scope(token)

    async def measure_later() -> None:
        current_scope().record_metric("y", 2)

    async def both() -> None:
        await asyncio.gather(predict("a"), predict("b"))

    asyncio.run(both())
    assert sorted(recorded) == [
        (name, key, value, "replace") for name in "ab" for key, value in (("x", 1), ("y", 2))
    ]


def test_plain_threads_see_a_process_wide_scope() -> None:
    scope = scope_of("one", [])
    token = enter_scope(scope, process_wide=True)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_scope).result() is scope
        exit_scope(token)
        assert pool.submit(current_scope).result() is not scope


def test_plain_threads_do_not_see_another_scope() -> None:
    seen: list[Scope] = []
    scope = scope_of("one", [])
    token = enter_scope(scope)
    thread = threading.Thread(target=lambda: seen.append(current_scope()))
    thread.start()
    thread.join()
    exit_scope(token)
    assert seen[0] is not scope
