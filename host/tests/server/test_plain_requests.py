"""Plain requests for predictions are answered without a task; all others are left to the application, untouched."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from cogworks.server.app import App
from cogworks.server.http.listener import Listener
from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.responses import JsonResponse
from cogworks.server.routes import Routes
from cogworks.server.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

JSON = "content-type: application/json\r\n"
BODY = b'{"input": {"text": "you"}}'
BOUND_S = 5.0


async def left(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand for the application: say what body is left for it."""
    message = await receive()
    await JsonResponse({"left": message["body"].decode()})(scope, receive, send)


def request(body: bytes = BODY, headers: str = JSON, path: str = "/predictions") -> bytes:
    length = f"content-length: {len(body)}\r\n"
    return f"POST {path} HTTP/1.1\r\nhost: x\r\n{headers}{length}\r\n".encode() + body


class House:
    """A service behind a socket, without its application."""

    def __init__(self, it: Any, **settings: Any) -> None:
        self.service = it.service
        routes = Routes(it.service, Settings(**settings), lambda: None)
        self.app = App(routes, it.service.metrics)

    async def __aenter__(self) -> House:
        self.listener = Listener(left, self.app.prompt)
        self.socket = socket.create_server(("127.0.0.1", 0))
        await self.listener.start(self.socket)
        address = self.socket.getsockname()
        self.reader, self.writer = await asyncio.open_connection(*address[:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.listener.close(BOUND_S)
        self.socket.close()

    async def ask(self, *parts: bytes) -> tuple[int, dict[str, Any]]:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0.02 * (len(parts) > 1))
        return await self.read()

    async def read(self) -> tuple[int, dict[str, Any]]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head[9:12]), json.loads(await self.reader.readexactly(length))


def test_a_plain_request_needs_no_application(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it, House(it) as house:
            for _ in range(3):
                status, body = await house.ask(request())
                assert (status, body["status"], body["output"]) == (200, "succeeded", "hello you")
            assert it.service.metrics.responses[200] == 3

    play(scene())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"input": {"text": "you"}, "id": "mine"}', JSON),
        (BODY, f"{JSON}prefer: respond-async\r\n"),
        (BODY, f"{JSON}accept: text/event-stream\r\n"),
        (BODY, "content-type: text/plain\r\n"),
        (BODY, ""),
        (b"{not json", JSON),
        (b'{"input": 3}', JSON),
        (b'{"input": {"text": "' + b"x" * 300_000 + b'"}}', JSON),
    ],
    ids=["id", "async", "events", "text", "no type", "no json", "wrong", "large"],
)
def test_anything_else_is_left_with_its_body(
    stage: Any, play: Any, body: bytes, headers: str
) -> None:
    async def scene() -> None:
        async with stage("echo") as it, House(it) as house:
            _, answer = await house.ask(request(body, headers))
            assert body.decode().startswith(answer["left"])
            assert len(answer["left"]) > 0

    play(scene())


def test_a_body_that_comes_in_parts_is_left(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it, House(it) as house:
            whole = request()
            _, answer = await house.ask(whole[:-5], whole[-5:])
            assert "left" in answer

    play(scene())


def test_a_body_above_the_limit_of_the_settings_is_left(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it, House(it, max_body_bytes=10) as house:
            assert "left" in (await house.ask(request()))[1]

    play(scene())


def test_refusals_are_answered_at_once(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it, House(it) as house:
            run = it.service.submit(PredictionRequest())
            status, body = await house.ask(request(b"{}"))
            assert (status, body["status"]) == (409, "failed")
            it.service.cancel(run)
            await run.wait_end()

    play(scene())


def test_requests_sent_at_once_are_answered_in_order(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it, House(it) as house:
            bodies = [b'{"input": {"text": "%d"}}' % number for number in range(20)]
            house.writer.write(b"".join(request(body) for body in bodies))
            answers = [await house.read() for _ in bodies]
            assert [body["output"] for _, body in answers] == [f"hello {n}" for n in range(20)]

    play(scene())


def test_a_client_that_leaves_ends_its_prediction(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it, House(it) as house:
            house.writer.write(request(b"{}"))
            await it.wait_printed("sleeping")
            house.writer.close()
            await it.wait_printed("cleaning up")

    play(scene())


def test_a_stop_answers_who_waits(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it, House(it) as house:
            house.writer.write(request(b"{}"))
            await it.wait_printed("sleeping")
            await it.service.stop()
            assert (await house.read())[1]["status"] == "canceled"

    play(scene())
