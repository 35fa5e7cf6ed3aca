"""Streams are live: the first item is there before the second is made.

The model waits at a named pipe for the test to say that the first item has arrived; a stream that
is not live would never end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

EVENTS = {"Accept": "text/event-stream"}
MODELS = ["handshakes", "handshakes_async"]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def follow(response: Any) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield id, name and data of each event."""
    number, name = 0, ""
    for line in response.iter_lines():
        key, _, value = line.partition(": ")
        if key == "id":
            number = int(value)
        elif key == "event":
            name = value
        elif key == "data":
            yield number, name, json.loads(value)


def wait_event(events: Iterator[tuple[int, str, dict[str, Any]]], name: str) -> tuple[int, Any]:
    return next((number, data) for number, found, data in events if found == name)


@pytest.mark.parametrize("model", MODELS)
def test_the_first_item_arrives_before_the_second_is_made(
    launch_server: Any, pipe: Path, model: str
) -> None:
    server = launch_server(model)
    body = {"input": {"pipe": str(pipe)}}
    with server.client.stream("POST", "/predictions", json=body, headers=EVENTS) as response:
        events = follow(response)
        assert wait_event(events, "output")[1]["chunk"] == "first "
        pipe.write_text("second")
        assert wait_event(events, "output")[1]["chunk"] == "second"
        assert wait_event(events, "completed")[1]["output"] == ["first ", "second"]


@pytest.mark.parametrize("model", MODELS)
def test_a_client_whose_connection_broke_comes_back_within_the_grace_and_misses_nothing(
    launch_server: Any, pipe: Path, model: str
) -> None:
    server = launch_server(model, COG_STREAM_LEAVE_GRACE="600")
    body = {"id": "mine", "input": {"pipe": str(pipe)}}
    with server.client.stream("POST", "/predictions", json=body, headers=EVENTS) as response:
        seen, _ = wait_event(follow(response), "output")
    headers = {**EVENTS, "Last-Event-ID": str(seen)}
    with server.client.stream("GET", "/predictions/mine", headers=headers) as response:
        pipe.write_text("second")
        events = list(follow(response))
    assert events[0][0] == seen + 1
    assert [data["chunk"] for _, name, data in events if name == "output"] == ["second"]
    assert events[-1][2]["status"] == "succeeded"


def test_after_the_grace_a_stream_that_nobody_follows_is_canceled(
    launch_server: Any, pipe: Path
) -> None:
    server = launch_server("handshakes", COG_STREAM_LEAVE_GRACE="0.05")
    body = {"id": "mine", "input": {"pipe": str(pipe)}}
    with server.client.stream("POST", "/predictions", json=body, headers=EVENTS) as response:
        wait_event(follow(response), "output")
    while (found := server.client.get("/predictions/mine").json())["status"] == "processing":
        pass
    assert (found["status"], found["output"]) == ("canceled", ["first "])
