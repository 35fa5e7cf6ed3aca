"""What a server leaves undone, the next one on the same file does: however the first one ended."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytestmark = pytest.mark.slow

TIMEOUT_S = 20.0
ASYNC = {"Prefer": "respond-async"}


class Receiver:
    """Takes webhooks; while ``is_down`` it answers 503, so that they are sent again."""

    def __init__(self) -> None:
        self.is_down = False
        self.told: queue.Queue[tuple[dict[str, str], dict[str, Any]]] = queue.Queue()
        self.attempts: list[dict[str, str]] = []  # Their headers, of those refused too.
        self.refused = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.attempts.append(headers)
                if receiver.is_down:
                    receiver.refused.set()
                    self.send_response(503)
                else:
                    receiver.told.put((headers, body))
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def next(self) -> dict[str, Any]:
        return self.told.get(timeout=TIMEOUT_S)[1]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    it = Receiver()
    yield it
    it.close()


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


def ask(server: Any, prediction_id: str, **fields: Any) -> None:
    """Ask for a prediction that nobody waits for; it is in the file when this returns."""
    body = {"id": prediction_id, **fields}
    answer = server.client.post("/predictions", json=body, headers=ASYNC)
    assert answer.status_code == 202, answer.text


def kill(server: Any) -> None:
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait(TIMEOUT_S)


def terminate(server: Any) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(TIMEOUT_S) == 0


def wait_end(server: Any, prediction_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        body: dict[str, Any] = server.client.get(f"/predictions/{prediction_id}").json()
        if body["status"] not in ("starting", "processing"):
            return body
        assert time.monotonic() < deadline, server.log()


@pytest.mark.parametrize("end", [kill, terminate])
def test_what_waited_runs_in_order_on_the_next_server(
    launch_server: Any, store: str, receiver: Receiver, end: Any
) -> None:
    options = {"COG_QUEUE_SIZE": "9", "COG_SHUTDOWN_GRACE": "0.1"}
    first = launch_server("sleeps", "--store", store, **options)
    ask(first, "running", input={"seconds": 60})
    for number in range(3):
        hook = {"webhook": receiver.url, "webhook_events_filter": ["completed"]}
        ask(first, f"p{number}", input={"seconds": 0}, **hook)
    listed = first.client.get("/predictions").json()["results"]
    assert [(item["id"], item["status"]) for item in listed] == [
        ("p2", "starting"),
        ("p1", "starting"),
        ("p0", "starting"),
        ("running", "processing"),
    ]
    created_at = listed[0]["created_at"]
    end(first)

    second = launch_server("sleeps", "--store", store, wait=False, **options)
    assert second.client.get("/predictions/p2").json()["created_at"] == created_at
    bodies = [wait_end(second, f"p{number}") for number in range(3)]
    assert [body["status"] for body in bodies] == ["succeeded"] * 3
    assert [body["output"] for body in bodies] == ["slept"] * 3
    started = [body["started_at"] for body in bodies]
    assert started == sorted(started)
    told = [receiver.next() for _ in bodies]  # Each way to a receiver is for one prediction alone.
    assert sorted(told, key=lambda body: str(body["id"])) == bodies
    assert wait_end(second, "running")["status"] == ("failed" if end is kill else "canceled")
    again = second.client.put("/predictions/p2", json={"input": {"seconds": 0}})
    assert (again.status_code, again.json()) == (200, bodies[2])
    other = second.client.put("/predictions/p2", json={"input": {"seconds": 1}})
    assert other.status_code == 409


def test_the_webhook_of_a_lost_prediction_says_why(
    launch_server: Any, store: str, receiver: Receiver
) -> None:
    first = launch_server("sleeps", "--store", store)
    # Not of its logs: whether these are told before the kill is a race.
    hook = {"webhook": receiver.url, "webhook_events_filter": ["start", "completed"]}
    ask(first, "lost", input={"seconds": 60}, context={"who": "me"}, **hook)
    assert receiver.next()["status"] == "processing"
    kill(first)
    second = launch_server("sleeps", "--store", store)
    told = receiver.next()
    assert (told["id"], told["status"]) == ("lost", "failed")
    assert told["error"] == "the server ended while it worked on this prediction"
    assert told["metrics"]["predict_time"] > 0
    assert told == second.client.get("/predictions/lost").json()


@pytest.mark.parametrize("end", [kill, terminate])
def test_what_ran_is_run_again_where_that_is_wanted(
    launch_server: Any, store: str, end: Any
) -> None:
    options = {"COG_RETRY_LOST": "1", "COG_SHUTDOWN_GRACE": "0.1"}
    first = launch_server("sleeps", "--store", store, **options)
    ask(first, "p1", input={"seconds": 1.5})
    end(first)
    second = launch_server("sleeps", "--store", store, wait=False, **options)
    body = wait_end(second, "p1")
    assert (body["status"], body["output"]) == ("succeeded", "slept")


def test_a_prediction_that_ends_servers_is_not_run_for_ever(launch_server: Any, store: str) -> None:
    server = launch_server("sleeps", "--store", store, COG_RETRY_LOST="1")
    ask(server, "poison", input={"seconds": 60})
    for _ in range(3):
        server.wait_for("BUSY")
        # The list is read after what has been written before.
        assert len(server.client.get("/predictions").json()["results"]) == 1
        kill(server)
        server = launch_server("sleeps", "--store", store, wait=False, COG_RETRY_LOST="1")
    body = wait_end(server, "poison")
    assert body["status"] == "failed"
    assert body["error"].endswith("that was try 3 of 3")


def test_what_waited_with_a_secret_fails_and_the_secret_was_never_stored(
    launch_server: Any, store: str, tmp_path: Path
) -> None:
    secret = "squeamish-ossifrage"

    def check_files() -> None:
        guess = msgspec.json.encode({"token": secret}, order="sorted")
        content = b"".join(file.read_bytes() for file in tmp_path.glob("runs.db*"))
        assert b"p1" in content
        assert secret.encode() not in content
        assert hashlib.sha256(guess).hexdigest().encode() not in content

    first = launch_server("secrets", "--store", store, COG_QUEUE_SIZE="2")
    ask(first, "running", input={"token": "another", "seconds": 60})
    ask(first, "p1", input={"token": secret})
    assert first.client.get("/predictions/p1").json()["status"] == "starting"
    kill(first)
    check_files()

    second = launch_server("secrets", "--store", store, COG_QUEUE_SIZE="2")
    body = wait_end(second, "p1")
    assert (body["status"], body["input"]) == ("failed", {"token": "**********"})
    assert body["error"] == (
        "the server ended before it began this prediction, and another cannot run it: "
        "its input holds secrets, which are not stored"
    )
    again = second.client.put("/predictions/p1", json={"input": {"token": secret}})
    assert (again.status_code, "nobody can tell" in again.json()["error"]) == (409, True)
    kill(second)
    check_files()


def test_files_that_waited_with_a_prediction_fail_it_with_the_reason(
    launch_server: Any, store: str
) -> None:
    first = launch_server("uploads", "--store", store, COG_QUEUE_SIZE="2")
    ask(first, "running", input={"image": "data:,x", "tags": ["sleep"]})
    form = {"files": {"image": ("x.png", b"picture")}, "data": {"id": "form"}}
    answer = first.client.post("/predictions", headers=ASYNC, **form)
    assert (answer.status_code, answer.json()["status"]) == (202, "starting")
    kill(first)
    second = launch_server("uploads", "--store", store)
    body = wait_end(second, "form")
    assert (body["status"], body["input"]["image"]) == ("failed", "x.png")
    assert body["error"] == (
        "the server ended before it began this prediction, and another cannot run it: "
        "the files that were uploaded with it ended with the server that had them"
    )
    assert second.client.put("/predictions/form", **form).json() == body


def test_an_end_that_nobody_took_is_told_by_the_next_server(
    launch_server: Any, store: str, receiver: Receiver
) -> None:
    receiver.is_down = True
    secret = "whsec_" + "c2VjcmV0" * 6
    first = launch_server("echo", "--store", store, COG_WEBHOOK_SECRET=secret)
    hook = {"webhook": receiver.url, "webhook_events_filter": ["completed"]}
    ask(first, "p1", input={"text": "x"}, **hook)
    assert receiver.refused.wait(TIMEOUT_S)
    first.client.get("/predictions").json()
    kill(first)
    receiver.is_down = False
    second = launch_server("echo", "--store", store, COG_WEBHOOK_SECRET=secret)
    headers, told = receiver.told.get(timeout=TIMEOUT_S)
    assert told == second.client.get("/predictions/p1").json()
    assert headers["webhook-id"].startswith("msg_")
    assert len(receiver.attempts) > 1
    assert {attempt["webhook-id"] for attempt in receiver.attempts} == {headers["webhook-id"]}
    terminate(second)
    third = launch_server("echo", "--store", store)
    terminate(third)
    assert receiver.told.empty()


def test_what_no_longer_fits_the_model_fails_when_its_schema_is_known(
    launch_server: Any, store: str
) -> None:
    first = launch_server("sleeps", "--store", store, COG_QUEUE_SIZE="2")
    ask(first, "running", input={"seconds": 60})
    ask(first, "waits", input={"seconds": 60})
    kill(first)
    second = launch_server("echo", "--store", store)
    body = wait_end(second, "waits")
    assert body["status"] == "failed"
    assert body["error"].startswith("the model has changed while this prediction waited: text")


def test_one_that_waits_for_the_next_server_can_be_canceled_there(
    launch_server: Any, store: str
) -> None:
    first = launch_server("sleeps", "--store", store, COG_QUEUE_SIZE="3")
    ask(first, "running", input={"seconds": 60})
    ask(first, "p1", input={"seconds": 60})
    ask(first, "p2", input={"seconds": 60})
    kill(first)
    second = launch_server("sleeps", "--store", store, wait=False)
    second.wait_for("BUSY")
    assert second.client.post("/predictions/p2/cancel").status_code == 200
    assert wait_end(second, "p2")["status"] == "canceled"
    assert second.client.delete("/predictions/p1").status_code == 200
    assert wait_end(second, "p1")["status"] == "canceled"


def test_a_client_that_waited_is_not_run_for_again(launch_server: Any, store: str) -> None:
    first = launch_server("sleeps", "--store", store, COG_RETRY_LOST="1")
    thread = threading.Thread(target=_put_and_lose, args=(first,))
    thread.start()
    first.wait_for("BUSY")
    first.client.get("/predictions").json()
    kill(first)
    thread.join()
    second = launch_server("sleeps", "--store", store, COG_RETRY_LOST="1")
    again = second.client.put("/predictions/mine", json={"input": {"seconds": 60}})
    assert again.status_code == 200
    assert "its client was waiting for the answer" in again.json()["error"]


def _put_and_lose(server: Any) -> None:
    import httpx2

    with pytest.raises(httpx2.TransportError):
        server.client.put("/predictions/mine", json={"input": {"seconds": 60}})
