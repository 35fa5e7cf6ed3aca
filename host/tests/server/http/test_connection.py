"""Clients that do not do their part, on a real socket; patience is short here."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from cogworks.server.http.connection import Connection
from cogworks.server.http.listener import Listener
from cogworks.server.responses import JsonResponse

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
LONG_BYTES = 8 * 1024 * 1024
BOUND_S = 10.0

Play = Callable[[Coroutine[Any, Any, None]], None]
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Play:
    """Run the coroutine of a test to its end, on both event loops: they close sockets differently."""
    run: Play = request.param
    return run


class Hasty(Connection):
    patience_s = 0.2
    idle_s = 0.2
    check_s = 0.05


class HastyListener(Listener):
    connection_class = Hasty

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._gave_up = app.gave_up

    def discard(self, connection: Connection) -> None:
        super().discard(connection)
        self._gave_up.set()


class App:
    """Reads a body; ``/wait`` answers when told, ``/long`` with much, ``/early`` without reading."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()
        self.gave_up = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            more = message.get("more_body", False)
        if scope["path"] == "/wait":
            await self.go_on.wait()
        if scope["path"] == "/leave":
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.set()
            return
        text = b"x" * LONG_BYTES if scope["path"] == "/long" else b"fine"
        await JsonResponse(text)(scope, receive, send)


@contextlib.asynccontextmanager
async def serving(app: App) -> AsyncGenerator[Connect]:
    listener = HastyListener(app)
    sock = socket.create_server(("127.0.0.1", 0))
    await listener.start(sock)
    port = sock.getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        async with asyncio.timeout(BOUND_S):
            yield connect
            for writer in writers:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            await listener.close(BOUND_S)
    finally:
        listener.stop_accepting()


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nhost:", POST + b"\r\n", POST + b"\r\nsome", GET + b"\r\n"],
)
def test_a_client_that_stops_midway_is_given_up(play: Play, sent: bytes) -> None:
    async def scene() -> None:
        async with serving(App()) as connect:
            reader, writer = await connect()
            writer.write(sent)
            answer = await reader.read()
            is_begun = sent not in (b"", GET + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 408 ") == is_begun, answer

    play(scene())


def test_a_slow_drip_of_a_head_is_given_up(play: Play) -> None:
    async def scene() -> None:
        async with serving(App()) as connect:
            reader, writer = await connect()
            writer.write(b"GET / HTTP/1.1\r\n")
            reading = asyncio.create_task(reader.read())
            while not reading.done():
                writer.write(b"x")
                await asyncio.wait((reading,), timeout=0.02)
            assert b" 408 " in await reading

    play(scene())


def test_a_body_that_comes_steadily_may_take_longer(play: Play) -> None:
    async def scene() -> None:
        async with serving(App()) as connect:
            reader, writer = await connect()
            writer.write(POST + b"connection: close\r\n\r\n")
            for _ in range(10):
                writer.write(b"x" * 10_000)
                await asyncio.sleep(0.05)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")

    play(scene())


def test_the_server_itself_may_take_longer(play: Play) -> None:
    async def scene() -> None:
        app = App()
        async with serving(app) as connect:
            reader, writer = await connect()
            writer.write(GET.replace(b"/ ", b"/wait ", 1))
            await asyncio.sleep(Hasty.patience_s * 3)
            app.go_on.set()
            assert await reader.readuntil(b"fine")

    play(scene())


def test_a_client_that_reads_nothing_is_given_up(play: Play) -> None:
    async def scene() -> None:
        app = App()
        async with serving(app) as connect:
            reader, writer = await connect()
            writer.write(GET.replace(b"/ ", b"/long ", 1) * 3)
            await app.gave_up.wait()
            with contextlib.suppress(ConnectionError):
                assert len(await reader.read()) < LONG_BYTES

    play(scene())


def test_what_follows_an_early_answer_is_not_read_for_ever(play: Play) -> None:
    async def scene() -> None:
        async with serving(App()) as connect:
            reader, writer = await connect()
            writer.write(POST.replace(b"/ ", b"/early ", 1).replace(b"100000", b"9" * 12) + b"\r\n")
            assert await reader.readuntil(b"fine")
            reading = asyncio.create_task(reader.read())
            while not reading.done():
                writer.write(b"x" * 1000)
                await asyncio.wait((reading,), timeout=0.005)
            with contextlib.suppress(ConnectionError):
                assert await reading == b""

    play(scene())


def test_a_request_learns_that_its_client_left_though_another_is_queued(play: Play) -> None:
    async def scene() -> None:
        app = App()
        async with serving(app) as connect:
            _, writer = await connect()
            writer.write(GET.replace(b"/ ", b"/leave ", 1) + GET)
            await writer.drain()
            writer.close()
            await app.left.wait()

    play(scene())
