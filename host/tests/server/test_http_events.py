"""Events of a prediction while it runs, and webhooks about it, over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = pytest.mark.slow

EVENTS = {"Accept": "text/event-stream"}


def follow(response: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and data of each event."""
    name = ""
    for line in response.iter_lines():
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            yield name, json.loads(value)


def test_tokens_arrive_as_events_and_the_whole_at_the_end(launch_server: Any) -> None:
    server = launch_server("yields_async")
    body = {"input": {"count": 2}}
    with server.client.stream("POST", "/predictions", json=body, headers=EVENTS) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        events = list(follow(response))
    assert [name for name, _ in events] == ["start", "output", "output", "completed"]
    assert [data["chunk"] for name, data in events if name == "output"] == ["token0 ", "token1 "]
    assert events[-1][1]["output"] == ["token0 ", "token1 "]
    assert events[-1][1]["status"] == "succeeded"


def test_a_model_that_has_not_opted_in_is_not_streamed(launch_server: Any) -> None:
    server = launch_server("yields")
    response = server.client.post("/predictions", json={"input": {}}, headers=EVENTS)
    assert response.status_code == 406
    assert "does not support streaming" in response.json()["error"]


def test_an_operator_may_let_every_model_be_followed(launch_server: Any) -> None:
    server = launch_server("yields", COG_STREAM_ALL="1")
    body: dict[str, Any] = {"input": {}}
    with server.client.stream("POST", "/predictions", json=body, headers=EVENTS) as response:
        assert response.status_code == 200
        names = [name for name, _ in follow(response)]
    assert "output" in names
    assert names[-1] == "completed"


def test_a_finished_prediction_can_still_be_followed(launch_server: Any) -> None:
    server = launch_server("yields_async")
    server.client.put("/predictions/mine", json={"input": {"count": 1}})
    with server.client.stream("GET", "/predictions/mine", headers=EVENTS) as response:
        assert [name for name, _ in follow(response)] == ["completed"]


def test_a_follower_who_leaves_ends_a_prediction_that_nobody_else_wants(launch_server: Any) -> None:
    server = launch_server("streams_forever")
    with server.client.stream(
        "POST", "/predictions", json={"id": "mine", "input": {}}, headers=EVENTS
    ) as response:
        next(follow(response))
    while (body := server.client.get("/predictions/mine").json())["status"] == "processing":
        pass
    assert body["status"] == "canceled"


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]], threading.Event]]:
    """Return the URL of a webhook receiver, what it got, and an event for the end."""
    received: list[dict[str, Any]] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append(body)
            self.send_response(200)
            self.end_headers()
            if body["status"] in ("succeeded", "failed", "canceled"):
                over.set()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(server.serve_forever, 0.01)
        yield f"http://127.0.0.1:{server.server_port}/hook", received, over
        server.shutdown()
    server.server_close()


def test_a_webhook_is_told_of_the_start_and_the_end(launch_server: Any, receiver: Any) -> None:
    url, received, over = receiver
    server = launch_server("echo")
    body = {"input": {"text": "x"}, "webhook": url, "webhook_events_filter": ["start", "completed"]}
    response = server.client.post("/predictions", json=body, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    assert over.wait(20)
    assert [item["status"] for item in received] == ["processing", "succeeded"]
    assert received[-1]["output"] == "hello x"


def test_webhooks_are_delivered_before_the_server_ends(launch_server: Any, receiver: Any) -> None:
    url, _, over = receiver
    server = launch_server("sleeps")
    body = {"input": {"seconds": 0.3}, "webhook": url}
    server.client.post("/predictions", json=body, headers={"Prefer": "respond-async"})
    server.client.post("/shutdown")
    assert server.process.wait(30) == 0
    assert over.is_set()
