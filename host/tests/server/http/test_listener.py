"""The end of a server: present answers are finished, idle connections closed, the rest cut off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Receive, Scope, Send

from cogworks.server.http.listener import Listener
from cogworks.server.responses import JsonResponse

BOUND_S = 10.0
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class App:
    """Answers when told."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        await self.go_on.wait()
        await JsonResponse(b"fine")(scope, receive, send)


@contextlib.asynccontextmanager
async def connected(app: App) -> AsyncGenerator[tuple[Listener, asyncio.StreamReader]]:
    """Serve; yield the listener and a connection on which one request is being answered."""
    listener = Listener(app)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await listener.start(sock)
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        writer.write(GET)
        async with asyncio.timeout(BOUND_S):
            await app.begun.wait()
            yield listener, reader
        writer.close()
        await listener.close(BOUND_S)


def test_the_present_answer_is_finished() -> None:
    async def scene() -> None:
        app = App()
        async with connected(app) as (listener, reader):
            closing = asyncio.create_task(listener.close(BOUND_S))
            app.go_on.set()
            answer = await reader.read()
            await closing
            assert answer.endswith(b"fine")
            assert b"connection: close" in answer

    asyncio.run(scene())


def test_an_idle_connection_is_closed_at_once() -> None:
    async def scene() -> None:
        app = App()
        app.go_on.set()
        async with connected(app) as (listener, reader):
            await reader.readuntil(b"fine")
            await listener.close(BOUND_S)
            assert await reader.read() == b""

    asyncio.run(scene())


def test_what_does_not_end_in_time_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with connected(App()) as (listener, reader):
            await listener.close(0.01)
            with contextlib.suppress(ConnectionError):
                assert b"fine" not in await reader.read()

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    assert "did not end in time" in caplog.text


def test_no_connection_is_accepted_any_more() -> None:
    async def scene() -> None:
        listener = Listener(App())
        sock = socket.create_server(("127.0.0.1", 0))
        address = sock.getsockname()
        await listener.start(sock)
        await listener.close(BOUND_S)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(*address)

    asyncio.run(scene())
