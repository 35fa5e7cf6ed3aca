"""Webhooks against a real receiver that is slow, dead or of changing mood."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import httpx2
import pytest

from cogworks.server import webhooks as webhooks_module
from cogworks.server.predictions import (
    Event,
    LogAdded,
    OutputAdded,
    Prediction,
    Started,
    Succeeded,
)
from cogworks.server.run import Run
from cogworks.server.webhook_lanes import Lanes
from cogworks.server.webhooks import Patience, Undelivered, Webhooks, validate_webhook

ALL = frozenset({"start", "output", "logs", "completed"})
QUICK = Patience(tries=12, first_pause_s=0.0001, timeout_s=5.0)
TIMEOUT_S = 20.0

HANG_UP = 0
"""Instead of a status: close the connection."""


class Receiver:
    """A real HTTP server that notes what it gets; answers ``statuses`` in turn, then 200.

    While ``opened`` is not set it reads requests but does not answer them.
    """

    def __init__(self, *statuses: int, answer: bytes = b"ok", extra: str = "") -> None:
        self.url = ""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0
        self.now = 0
        self.most_at_once = 0
        self.opened = asyncio.Event()
        self.opened.set()
        self._statuses = list(statuses)
        self._answer = answer
        self._extra = extra
        self._changed = asyncio.Condition()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    @property
    def told(self) -> list[tuple[str, Any]]:
        return [(body["status"], body["output"]) for body in self.bodies]

    async def wait_for(self, count: int) -> None:
        """Wait until so many requests have been read."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(EOFError, ConnectionError), contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers, body))
                self.now += 1
                self.most_at_once = max(self.most_at_once, self.now)
                async with self._changed:
                    self._changed.notify_all()
                await self.opened.wait()
                self.now -= 1
                status = self._statuses.pop(0) if self._statuses else 200
                if status == HANG_UP:
                    return
                writer.write(
                    f"HTTP/1.1 {status} X\r\n{self._extra}"
                    f"Content-Length: {len(self._answer)}\r\n\r\n".encode()
                    + self._answer
                )
                await writer.drain()


@contextlib.asynccontextmanager
async def listening(receiver: Receiver) -> AsyncGenerator[Receiver]:
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(receiver.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?token=hidden"
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def opened(**arguments: Any) -> AsyncGenerator[tuple[Webhooks, list[None]]]:
    """Yield webhooks and the list of their failures."""
    failures: list[None] = []
    defaults: dict[str, Any] = {
        "interval_s": 0.0,
        "auth_token": None,
        "secret": None,
        "user_agent": "cogworks/1",
        "on_failure": lambda: failures.append(None),
        "patience": QUICK,
    }
    webhooks = Webhooks(**{**defaults, **arguments})
    try:
        yield webhooks, failures
    finally:
        await webhooks.close()


def new_run(prediction_id: str = "p1", **trace: str) -> Run:
    run = Run(Prediction(prediction_id, {"text": "hi"}, 0.0), prediction_id, {})
    run.trace = trace
    return run


def play_out(run: Run, *events: Event) -> None:
    for event in events or (Started(1.0), Succeeded(2.0, "done")):
        run.apply(event)


Play = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def play() -> Play:
    def run(coroutine: Coroutine[Any, Any, None]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(TIMEOUT_S):
                await coroutine

        asyncio.run(bounded())

    return run


def test_the_receiver_is_told_of_start_output_and_end_in_order(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, ALL)
            run.apply(Started(1.0))
            await receiver.wait_for(1)
            run.apply(OutputAdded(0, "a"))
            await receiver.wait_for(2)
            run.apply(Succeeded(2.0, streamed=True))
            assert await webhooks.drain(TIMEOUT_S) == []
            assert receiver.told == [
                ("processing", None),
                ("processing", ["a"]),
                ("succeeded", ["a"]),
            ]
            assert receiver.requests[-1][1] == run.body()
            assert (failures, receiver.connections) == ([], 1)

    play(story())


def test_the_last_update_comes_when_the_interval_is_over(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened(interval_s=0.05) as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"logs"}))
            run.apply(Started(1.0))
            run.apply(LogAdded("stdout", "a"))
            await receiver.wait_for(1)
            for text in "bcd":
                run.apply(LogAdded("stdout", text))
            await receiver.wait_for(2)
            assert [body["logs"] for body in receiver.bodies] == ["a", "abcd"]

    play(story())


def test_a_slow_receiver_gets_few_messages_and_they_are_up_to_date(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened() as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, ALL)
            receiver.opened.clear()
            run.apply(Started(1.0))
            await receiver.wait_for(1)
            for index in range(1000):
                run.apply(OutputAdded(index, index))
            receiver.opened.set()
            await receiver.wait_for(2)
            run.apply(Succeeded(2.0, streamed=True))
            await webhooks.drain(TIMEOUT_S)
            assert [len(output or []) for _, output in receiver.told] == [0, 1000, 1000]

    play(story())


def test_the_end_is_tried_again_until_it_is_taken(play: Play) -> None:
    async def story() -> None:
        receiver = Receiver(500, 429, 502, 503, 504)
        async with listening(receiver), opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert (len(receiver.requests), failures) == (6, [])
            assert {body for _, body in receiver.requests} == {run.body()}

    play(story())


def test_the_end_is_given_up_after_twelve_tries(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        receiver = Receiver(*[500] * 20)
        async with listening(receiver), opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert (len(receiver.requests), len(failures)) == (12, 1)

    with caplog.at_level(logging.WARNING):
        play(story())
    assert "prediction=p1" in caplog.text
    assert "tries=12: the receiver answered 500" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("status", [301, 400, 404, 501])
def test_another_status_ends_the_matter(play: Play, status: int) -> None:
    async def story() -> None:
        receiver = Receiver(status, extra="Location: /elsewhere\r\n")
        async with listening(receiver), opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            await webhooks.drain(TIMEOUT_S)
            assert (len(receiver.requests), len(failures)) == (1, 1)

    play(story())


def test_an_update_is_tried_once(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver(500)) as receiver, opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"start", "completed"}))
            play_out(run)
            await webhooks.drain(TIMEOUT_S)
            assert [status for status, _ in receiver.told] == ["processing", "succeeded"]
            assert len(failures) == 1

    play(story())


def test_a_connection_that_breaks_is_tried_again(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver(HANG_UP, HANG_UP)) as receiver, opened() as (webhooks, lost):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert (len(receiver.requests), lost) == (3, [])

    play(story())


def test_a_receiver_that_is_not_there_is_given_up(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with opened() as (webhooks, failures):
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))  # Taken, but nobody listens.
            url = f"http://127.0.0.1:{sock.getsockname()[1]}/"
            run = new_run()
            webhooks.attach(run, url, frozenset({"completed"}))
            play_out(run)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert len(failures) == 1
            sock.close()

    play(story())
    assert "tries=12: ConnectError" in caplog.text


def test_a_receiver_that_never_answers_is_left_after_the_timeout(play: Play) -> None:
    async def story() -> None:
        patience = Patience(tries=3, first_pause_s=0.001, timeout_s=0.05)
        async with listening(Receiver()) as receiver, opened(patience=patience) as (it, failures):
            receiver.opened.clear()
            run = new_run()
            it.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            assert await it.drain(TIMEOUT_S) == []
            assert (len(receiver.requests), len(failures)) == (3, 1)

    play(story())


def test_a_dead_receiver_delays_no_other(play: Play) -> None:
    async def story() -> None:
        async with (
            listening(Receiver()) as dead,
            listening(Receiver()) as alive,
            opened() as (webhooks, _),
        ):
            dead.opened.clear()
            for number in range(300):
                run = new_run(f"dead{number}")
                webhooks.attach(run, dead.url, frozenset({"completed"}))
                play_out(run)
            await dead.wait_for(32)
            run = new_run("alive")
            webhooks.attach(run, alive.url, ALL)
            play_out(run)
            await alive.wait_for(2)
            assert dead.most_at_once == 32
            assert len(await webhooks.drain(0.0)) == 300

    play(story())


def test_drain_returns_what_could_not_be_delivered_and_it_can_be_sent_later(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver:
            run = new_run(traceparent="00-a-b-01")
            receiver.opened.clear()
            async with opened() as (webhooks, failures):
                webhooks.attach(run, receiver.url, frozenset({"start", "completed"}))
                play_out(run)
                await receiver.wait_for(1)
                [left] = await webhooks.drain(0.01)
                assert left == Undelivered(
                    "p1", receiver.url, run.body(), {"traceparent": "00-a-b-01"}
                )
                assert failures == []
            receiver.opened.set()
            async with opened() as (webhooks, failures):
                webhooks.send_terminal(left.id, left.url, left.body, left.trace)
                assert await webhooks.drain(TIMEOUT_S) == []
            headers, body = receiver.requests[-1]
            assert (body, headers["traceparent"]) == (run.body(), "00-a-b-01")

    play(story())


def test_drain_waits_for_no_interval(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened(interval_s=3600.0) as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"logs"}))
            run.apply(Started(1.0))
            run.apply(LogAdded("stdout", "a"))
            await receiver.wait_for(1)
            run.apply(LogAdded("stdout", "b"))
            assert await webhooks.drain(TIMEOUT_S) == []
            assert [body["logs"] for body in receiver.bodies] == ["a", "ab"]

    play(story())


def test_drain_tries_at_once_what_would_have_waited_long(play: Play) -> None:
    async def story() -> None:
        patience = Patience(first_pause_s=3600.0)
        async with listening(Receiver(500)) as receiver, opened(patience=patience) as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            await receiver.wait_for(1)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert len(receiver.requests) == 2

    play(story())


def test_headers_are_those_that_receivers_know(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened(auth_token="t0ken") as (webhooks, _):
            run = new_run(traceparent="00-a-b-01", tracestate="v=é")
            webhooks.attach(run, receiver.url, frozenset({"completed"}))
            play_out(run)
            await webhooks.drain(TIMEOUT_S)
            [(headers, _)] = receiver.requests
            assert headers["content-type"] == "application/json"
            assert headers["user-agent"] == "cogworks/1"
            assert headers["authorization"] == "Bearer t0ken"
            assert headers["traceparent"] == "00-a-b-01"
            assert headers["tracestate"] == "v=é"
            assert "webhook-id" not in headers

    play(story())


def test_each_attempt_is_signed_and_keeps_its_id(play: Play) -> None:
    key = bytes(range(32))

    async def story() -> None:
        secret = "whsec_" + base64.b64encode(key).decode()
        async with listening(Receiver(500)) as receiver, opened(secret=secret) as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, frozenset({"start", "completed"}))
            play_out(run, Started(1.0), Succeeded(2.0, "x" * 300_000))
            await webhooks.drain(TIMEOUT_S)
            for headers, body in receiver.requests:
                signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
                mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
                assert headers["webhook-signature"] == f"v1,{mac}"
            assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 2

    play(story())


def test_a_receivers_cookies_are_not_sent_back(play: Play) -> None:
    async def story() -> None:
        receiver = Receiver(extra="Set-Cookie: a=b\r\n")
        async with listening(receiver), opened() as (webhooks, _):
            run = new_run()
            webhooks.attach(run, receiver.url, ALL)
            play_out(run)
            await webhooks.drain(TIMEOUT_S)
            assert ["cookie" in headers for headers, _ in receiver.requests] == [False, False]

    play(story())


def test_a_long_answer_is_not_read_to_its_end(play: Play) -> None:
    async def story() -> None:
        receiver = Receiver(answer=b"x" * 1_000_000)
        async with listening(receiver), opened() as (webhooks, failures):
            run = new_run()
            webhooks.attach(run, receiver.url, ALL)
            play_out(run)
            assert await webhooks.drain(TIMEOUT_S) == []
            assert (len(receiver.requests), receiver.connections, failures) == (2, 2, [])

    play(story())


def test_a_client_of_somebody_else_is_used_and_left_open(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, httpx2.AsyncClient() as client:
            async with opened(client=client) as (webhooks, _):
                run = new_run()
                webhooks.attach(run, receiver.url, ALL)
                play_out(run)
                await webhooks.drain(TIMEOUT_S)
                assert len(receiver.requests) == 2
            assert not client.is_closed

    play(story())


def test_too_many_predictions_that_wait_cost_the_oldest(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhooks_module, "MOST_WAITING", 2)

    async def story() -> None:
        async with listening(Receiver()) as receiver, opened() as (webhooks, failures):
            receiver.opened.clear()
            for name in ("p1", "p2", "p3"):
                run = new_run(name)
                webhooks.attach(run, receiver.url, frozenset({"completed"}))
                play_out(run)
            assert [item.id for item in await webhooks.drain(0.0)] == ["p2", "p3"]
            assert len(failures) == 1

    play(story())
    assert "more than 2 predictions" in caplog.text


def test_too_many_bytes_that_wait_cost_the_oldest_but_never_the_last(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks_module, "MOST_WAITING_BYTES", 1)

    async def story() -> None:
        async with listening(Receiver()) as receiver, opened() as (webhooks, failures):
            receiver.opened.clear()
            for name in ("p1", "p2"):
                run = new_run(name)
                webhooks.attach(run, receiver.url, frozenset({"completed"}))
                play_out(run)
            assert [item.id for item in await webhooks.drain(0.0)] == ["p2"]
            assert (len(failures), webhooks._over_bytes) == (1, 0)

    play(story())


def test_nothing_remains_of_what_was_delivered(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver, opened() as (webhooks, _):
            for number in range(50):
                run = new_run(f"p{number}")
                webhooks.attach(run, receiver.url, ALL)
                play_out(run)
            await webhooks.drain(TIMEOUT_S)
            assert len(receiver.requests) == 100
            assert (webhooks._tasks, webhooks._over, webhooks._over_bytes) == ({}, {}, 0)
            assert webhooks._lanes._lanes == {}

    play(story())


def test_a_closed_one_tells_nobody(play: Play) -> None:
    async def story() -> None:
        async with listening(Receiver()) as receiver:
            run = new_run()
            async with opened() as (webhooks, _):
                webhooks.attach(run, receiver.url, ALL)
            play_out(run)
            assert webhooks._tasks == {}

    play(story())


def test_lanes_bound_what_happens_in_all(play: Play) -> None:
    async def story() -> None:
        lanes = Lanes(total=2, per_receiver=1)
        async with lanes.place("a"), lanes.place("b"):
            waiting = asyncio.create_task(_enter(lanes, "c"))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting

    play(story())


async def _enter(lanes: Lanes, receiver: str) -> None:
    async with lanes.place(receiver):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://u:p@a.example:8443/x?y=z",
        "http://[::1]:1/",
        "http://münchen.example/",
    ],
)
def test_urls_of_the_web_are_fine(url: str) -> None:
    assert validate_webhook(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "ftp://a.example",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://a.example:99999/",
        "http://a.example:x/",
        "http://a.example:0/",
        "http://[::1/",
        "http://a.example/a b",
        "http://a.example/\r\nX: y",
        " http://a.example",
    ],
)
def test_other_urls_are_not(url: str) -> None:
    assert validate_webhook(url) == "must be an http or https URL"


def test_a_url_has_a_greatest_length() -> None:
    url = "http://a.example/".ljust(65_536, "x")
    assert validate_webhook(url) is None
    assert validate_webhook(url + "x") == "must be at most 65536 characters long"
