"""Answers as they arrive on a real socket, and what applications may not do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from cogworks.server.http.exchange import Exchange
from cogworks.server.http.limits import HIGH_WATER_BYTES
from cogworks.server.http.listener import Listener
from cogworks.server.responses import JsonResponse

BOUND_S = 10.0
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"

Respond = Callable[[Send], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[int]:
    listener = Listener(app)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await listener.start(sock)
        try:
            async with asyncio.timeout(BOUND_S):
                yield sock.getsockname()[1]
        finally:
            await listener.close(BOUND_S)


def ask(app: ASGIApp, request: bytes) -> bytes:
    """Send bytes on a connection of their own; return all that comes until it is closed."""

    async def scene() -> bytes:
        async with serving(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
            return answer

    return asyncio.run(scene())


def app_that(respond: Respond) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)

    return app


async def in_pieces(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await JsonResponse(body)(scope, receive, send)


def test_a_body_without_a_length_comes_in_chunks() -> None:
    answer = ask(app_that(in_pieces), LAST)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_to_http_1_0_the_end_of_the_connection_is_the_end_of_the_body() -> None:
    answer = ask(app_that(in_pieces), b"GET / HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nonetwo")
    assert b"chunked" not in answer


def test_head_gets_the_head_alone() -> None:
    request = LAST.replace(b"GET", b"HEAD")
    whole = ask(echo, request)
    assert whole.endswith(b"\r\n\r\n")
    assert b"content-length: 0" in whole
    assert ask(app_that(in_pieces), request).endswith(b"\r\n\r\n")


def test_a_head_is_sent_though_the_body_lets_wait() -> None:
    go_on = asyncio.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"fine"})

    async def scene() -> None:
        async with serving(late) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(LAST)
            await reader.readuntil(b"\r\n\r\n")
            go_on.set()
            assert b"fine" in await reader.read()
            writer.close()

    asyncio.run(scene())


def test_a_body_larger_than_what_is_kept_arrives_whole() -> None:
    body = bytes(range(256)) * (HIGH_WATER_BYTES // 64)
    head = b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    assert ask(echo, head + body).partition(b"\r\n\r\n")[2] == body


def test_requests_sent_at_once_are_answered_in_order() -> None:
    requests = [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n%02d" % number
        for number in range(50)
    ]
    answer = ask(echo, b"".join(requests) + LAST)
    bodies = [part[:2] for part in answer.split(b"\r\n\r\n")[1:-1]]
    assert bodies == [b"%02d" % number for number in range(50)]


def test_thousands_of_prompt_answers_do_not_pile_up_on_the_stack() -> None:
    async def scene() -> bytes:
        go_on = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await go_on.wait()
            await JsonResponse(b"slow")(scope, receive, send)

        def prompt(exchange: Exchange) -> bool:
            go_on.set()
            if exchange.scope["path"] != "/p":
                return False
            exchange.answer(200, b"", b"prompt")
            return True

        listener = Listener(slow, prompt)
        with socket.create_server(("127.0.0.1", 0)) as sock:
            await listener.start(sock)
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            writer.write(GET + GET.replace(b"/ ", b"/p ", 1) * 3000 + LAST)
            answer = await reader.read()
            writer.close()
            await listener.close(BOUND_S)
        return answer

    answer = asyncio.run(scene())
    assert answer.count(b"prompt") == 3000
    assert answer.index(b"slow") < answer.index(b"prompt")


def test_nothing_is_begun_after_the_last_answer() -> None:
    asked: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await JsonResponse(b"fine")(scope, receive, send)

    assert ask(app, LAST + GET.replace(b"/ ", b"/more ", 1)).count(b"fine") == 1
    assert asked == ["/"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.body", "body": b"x"}],
        [{"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nb: c")]}],
    ],
)
def test_an_application_that_does_not_answer_is_a_500(
    messages: list[dict[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(send: Send) -> None:
        for message in messages:
            await send(message)

    with caplog.at_level(logging.CRITICAL):
        answer = ask(app_that(respond), GET)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"b: c" not in answer


@pytest.mark.parametrize("length", [b"2", b"4"])
def test_an_answer_of_another_length_than_promised_is_cut_off(
    length: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(send: Send) -> None:
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"abc"})

    with caplog.at_level(logging.CRITICAL):
        answer = ask(app_that(respond), GET)
    assert not answer.endswith(b"abc")


def test_a_client_that_expects_continue_is_told_to() -> None:
    async def scene() -> None:
        async with serving(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"hi")
            assert (await reader.read()).endswith(b"hi")
            writer.close()

    asyncio.run(scene())


def test_a_json_response_refuses_a_header_of_two_lines() -> None:
    response = JsonResponse({}, headers={"Location": "a\r\nset-cookie: b"})
    with pytest.raises(ValueError, match="more than one line"):
        _ = response.head
