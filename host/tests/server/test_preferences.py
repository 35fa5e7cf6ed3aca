"""``Prefer`` and ``Accept`` are read as lists, whatever their case."""

from __future__ import annotations

from typing import Any

import pytest

from cogworks.server.preferences import accepts_events, prefers_async


def scope(name: str, *values: str) -> dict[str, Any]:
    return {"headers": [(name.encode(), value.encode()) for value in values]}


@pytest.mark.parametrize(
    "values",
    [
        ["respond-async"],
        ["Respond-Async"],
        ["wait=10, respond-async"],
        ["respond-async; foo=bar"],
        ["handling=lenient", "respond-async"],
        ['foo="a, b", respond-async'],
    ],
)
def test_respond_async_is_found_in_any_form(values: list[str]) -> None:
    assert prefers_async(scope("prefer", *values))


@pytest.mark.parametrize(
    "values", [[], [""], ["wait=10"], ['foo="respond-async"'], ['foo=", respond-async"']]
)
def test_what_only_looks_like_it_is_not_taken_for_it(values: list[str]) -> None:
    assert not prefers_async(scope("prefer", *values))


@pytest.mark.parametrize(
    "value", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9"]
)
def test_an_event_stream_is_asked_for_by_its_type(value: str) -> None:
    assert accepts_events(scope("accept", value))


@pytest.mark.parametrize("value", ["*/*", "text/*", "application/json", "text/event-stream;q=0"])
def test_other_types_do_not_ask_for_one(value: str) -> None:
    assert not accepts_events(scope("accept", value))
