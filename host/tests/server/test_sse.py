"""The event stream: as an ASGI application by hand, and behind a real HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from cogworks.server.event_log import DEFAULT_MAX_BYTES, EventLog
from cogworks.server.http.listener import Listener
from cogworks.server.predictions import (
    Canceled,
    Event,
    LogAdded,
    OutputAdded,
    Prediction,
    Started,
    Succeeded,
)
from cogworks.server.sse import MAX_SEND_BYTES, EventStream, _Pulse, read_last_event_id

TIMEOUT_S = 20.0
RETRY = b"retry: 1000\n\n"
START = b'id: 1\nevent: start\ndata: {"id":"p1","status":"processing"}\n\n'


class Play:
    """A prediction with its log."""

    def __init__(self, body: bytes = b"{}") -> None:
        self.prediction = Prediction("p1", {}, created_at=1.0)
        self.log = EventLog("p1", lambda: body)

    def add(self, *events: Event) -> None:
        for event in events:
            self.prediction.handle(event)
            self.log.observe(self.prediction, event)

    def add_outputs(self, count: int) -> None:
        self.add(*(OutputAdded(index, f"token{index}") for index in range(count)))


class Client:
    """The other side of one ASGI call: ``receive`` waits for ``leave``, ``send`` keeps all it gets."""

    def __init__(self, stream: EventStream, method: str = "POST") -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope: Scope = {"type": "http", "method": method, "headers": []}
        self.call = asyncio.create_task(stream(scope, self._inbox.get, self._send))

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def begin(self) -> dict[str, Any]:
        """Return the head of the answer, after the first words of the stream."""
        head = await self.sent.get()
        assert (await self.sent.get())["body"] == RETRY
        return head

    async def next(self) -> bytes:
        body: bytes = (await self.sent.get())["body"]
        return body

    async def rest(self) -> bytes:
        """Return all that is sent up to the end of the call."""
        await self.call
        return b"".join(self.sent.get_nowait().get("body", b"") for _ in range(self.sent.qsize()))

    async def _send(self, message: Any) -> None:
        await self.gate.wait()
        self.sent.put_nowait(message)


def run(main: Any) -> None:
    async def timed() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await main()

    asyncio.run(timed())


def test_a_stream_sends_what_was_and_what_comes_and_ends() -> None:
    async def main() -> None:
        play = Play(b'{"status":"succeeded"}')
        play.add(Started(2.0))
        client = Client(EventStream(play.log.subscribe(), headers={"X-Prediction-ID": "p1"}))
        head = await client.begin()
        assert head["status"] == 200
        assert dict(head["headers"]) == {
            b"content-type": b"text/event-stream",
            b"cache-control": b"no-cache",
            b"x-accel-buffering": b"no",
            b"x-prediction-id": b"p1",
        }
        assert await client.next() == START
        play.add(OutputAdded(0, "a"))
        assert await client.next() == b'id: 2\nevent: output\ndata: {"chunk":"a","index":0}\n\n'
        play.add(Succeeded(3.0, streamed=True))
        assert await client.next() == b'id: 3\nevent: completed\ndata: {"status":"succeeded"}\n\n'
        assert await client.sent.get() == {
            "type": "http.response.body",
            "body": b"",
            "more_body": False,
        }
        await client.call

    run(main)


def test_events_of_one_moment_are_sent_together() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe()))
        await client.begin()
        play.add(Started(2.0))
        play.add_outputs(500)
        assert (await client.next()).count(b"id: ") == 501
        client.leave()
        await client.call

    run(main)


def test_a_disconnect_ends_the_stream_and_leaves_the_log() -> None:
    async def main() -> None:
        play = Play()
        left: list[int] = []
        stream = EventStream(
            play.log.subscribe(), on_leave=lambda: left.append(play.log.subscriber_count)
        )
        client = Client(stream)
        await client.begin()
        client.leave()
        assert await client.rest() == b""
        assert left == [0]

    run(main)


def test_the_owner_hears_of_an_end_too_and_once() -> None:
    async def main() -> None:
        play = Play()
        left: list[int] = []
        client = Client(EventStream(play.log.subscribe(), on_leave=lambda: left.append(1)))
        await client.begin()
        play.add(Canceled(2.0))
        await client.call
        assert left == [1]

    run(main)


def test_a_canceled_call_leaves_the_log() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe()))
        await client.begin()
        client.call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client.call
        assert play.log.subscriber_count == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)


def test_a_broken_connection_ends_the_stream_quietly() -> None:
    async def main() -> None:
        async def send(message: Any) -> None:
            raise BrokenPipeError

        play = Play()
        scope: Scope = {"type": "http", "method": "POST", "headers": []}
        await EventStream(play.log.subscribe())(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]
        assert play.log.subscriber_count == 0

    run(main)


def test_silence_is_broken_by_comments() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe(), keep_alive_s=0.005))
        await client.begin()
        assert await client.next() == b": keep-alive\n\n"
        assert await client.next() == b": keep-alive\n\n"
        play.add(Started(2.0))
        text = await client.next()
        while text == b": keep-alive\n\n":
            text = await client.next()
        assert text == START
        client.leave()
        await client.call

    run(main)


def test_no_comment_comes_while_there_are_events() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe(), keep_alive_s=0.1))
        await client.begin()
        assert await client.next() == b": keep-alive\n\n"
        texts: list[bytes] = []
        events: list[Event] = [Started(2.0), *(OutputAdded(index, "a") for index in range(9))]
        for event in events:
            while not play.log._waiting:  # noqa: ASYNC110 - the stream has no event for it
                await asyncio.sleep(0)
            play.add(event)
            texts.append(await client.next())
            while not texts[-1].startswith(b"id: "):
                texts.append(await client.next())
        # On a busy machine one may pass in between, not one before each event.
        assert texts.count(b": keep-alive\n\n") < 5
        client.leave()
        await client.call

    run(main)


def test_an_ended_stream_leaves_no_timer_behind() -> None:
    async def main() -> None:
        await Client(EventStream(EventLog.finished(b"{}").subscribe())).call
        gc.collect()
        assert not [thing for thing in gc.get_objects() if type(thing) is _Pulse]

    run(main)


def test_a_client_that_reads_nothing_is_given_up() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe(), keep_alive_s=0.005, stall_s=0.01))
        await client.begin()
        client.gate.clear()
        play.add(Started(2.0))
        assert await client.rest() == b""
        assert play.log.subscriber_count == 0

    run(main)


def test_a_slow_client_delays_no_other() -> None:
    async def main() -> None:
        play = Play()
        slow = Client(EventStream(play.log.subscribe()))
        quick = Client(EventStream(play.log.subscribe()))
        await slow.begin()
        await quick.begin()
        slow.gate.clear()
        play.add(Started(2.0))
        assert await quick.next() == START
        play.add(Canceled(3.0))
        assert b"event: completed" in await quick.rest()
        assert slow.sent.empty()
        slow.gate.set()
        assert (await slow.rest()).count(b"id: ") == 2

    run(main)


def test_a_big_result_is_sent_in_pieces() -> None:
    async def main() -> None:
        body = b'{"output":"%s"}' % (b"x" * 3 * MAX_SEND_BYTES)
        client = Client(EventStream(EventLog.finished(body).subscribe()))
        await client.call
        sent = [client.sent.get_nowait() for _ in range(client.sent.qsize())]
        bodies = [message.get("body", b"") for message in sent]
        assert max(map(len, bodies)) == MAX_SEND_BYTES
        assert b"".join(bodies) == RETRY + b"id: 1\nevent: completed\ndata: " + body + b"\n\n"

    run(main)


def test_a_big_result_is_not_sent_on_to_who_has_left() -> None:
    async def main() -> None:
        sent: list[Any] = []
        has_left = asyncio.Event()

        async def receive() -> Any:
            await has_left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) == 4:
                has_left.set()
            for _ in range(3):  # As a server does whose buffers are full.
                await asyncio.sleep(0)

        stream = EventStream(EventLog.finished(b"x" * 50 * MAX_SEND_BYTES).subscribe())
        await stream({"type": "http", "method": "POST", "headers": []}, receive, send)
        assert len(sent) < 10

    run(main)


def test_who_has_seen_the_end_is_told_not_to_come_again() -> None:
    async def main() -> None:
        play = Play()
        play.add(Canceled(2.0))
        client = Client(EventStream(play.log.subscribe(1)), "GET")
        assert (await client.sent.get())["status"] == 204
        assert await client.rest() == b""

    run(main)


def test_head_gets_the_headers_alone() -> None:
    async def main() -> None:
        play = Play()
        client = Client(EventStream(play.log.subscribe()), "HEAD")
        assert (await client.sent.get())["status"] == 200
        assert await client.rest() == b""
        assert play.log.subscriber_count == 0

    run(main)


CLOSE_S = 5.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"0", 0),
        (b"42", 42),
        (b"", None),
        (b"-1", None),
        (b"1e3", None),
        (b"9" * 5000, None),
        ("\u0663".encode(), None),
    ],
)
def test_an_id_is_a_number_or_ignored(value: bytes, expected: int | None) -> None:
    scope = {"headers": [(b"accept", b"*/*"), (b"last-event-id", value)]}
    assert read_last_event_id(scope) == expected
    assert read_last_event_id({"headers": []}) is None


# Behind a real server.


@contextlib.asynccontextmanager
async def serving(app: Callable[[Scope, Receive, Send], Any]) -> AsyncGenerator[int]:
    """Serve ``app`` in this process; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        listener = Listener(app)
        await listener.start(sock)
        try:
            yield sock.getsockname()[1]
        finally:
            await listener.close(CLOSE_S)


def app_of(play: Play, on_leave: Callable[[], None] | None = None) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        subscription = play.log.subscribe(read_last_event_id(scope))
        await EventStream(subscription, on_leave=on_leave)(scope, receive, send)

    return app


async def connect(port: int, *headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for the stream; return the connection once the answer's head was read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = ["POST /predictions HTTP/1.1", "host: x", "content-length: 2", *headers, "", "{}"]
    writer.write("\r\n".join(lines).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert await read_chunk(reader) == RETRY
    return reader, writer


async def read_chunk(reader: asyncio.StreamReader) -> bytes:
    size = int(await reader.readline(), 16)
    return (await reader.readexactly(size + 2))[:-2]


async def read_stream(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    while chunk := await read_chunk(reader):
        chunks.append(chunk)
    return b"".join(chunks)


def test_events_arrive_one_by_one_as_they_happen() -> None:
    async def main() -> None:
        play = Play(b'{"output":["a"]}')
        async with serving(app_of(play)) as port:
            reader, writer = await connect(port)
            play.add(Started(2.0))
            assert await read_chunk(reader) == START
            play.add(OutputAdded(0, "a"))
            assert b'"chunk":"a"' in await read_chunk(reader)
            play.add(Succeeded(3.0, streamed=True))
            assert await read_chunk(reader) == (
                b'id: 3\nevent: completed\ndata: {"output":["a"]}\n\n'
            )
            assert await read_chunk(reader) == b""
            writer.close()

    run(main)


def test_a_dropped_client_resumes_where_it_was() -> None:
    async def main() -> None:
        play = Play()
        play.add(Started(2.0))
        async with serving(app_of(play)) as port:
            reader, writer = await connect(port)
            assert await read_chunk(reader) == START
            writer.close()
            play.add(OutputAdded(0, "a"), Canceled(3.0))
            reader, writer = await connect(port, "last-event-id: 1")
            text = await read_stream(reader)
            assert text.startswith(b"id: 2\nevent: output")
            assert text.count(b"id: ") == 2
            writer.close()

    run(main)


def test_a_hang_up_is_noticed_without_an_event() -> None:
    async def main() -> None:
        left = asyncio.Event()
        play = Play()
        async with serving(app_of(play, left.set)) as port:
            _, writer = await connect(port)
            assert play.log.subscriber_count == 1
            writer.close()
            await left.wait()
            assert play.log.subscriber_count == 0

    run(main)


@pytest.mark.slow
def test_a_client_that_never_reads_loses_its_place_and_nobody_else_does() -> None:
    async def main() -> None:
        play = Play()
        async with serving(app_of(play)) as port:
            stuck, stuck_writer = await connect(port)
            reader, writer = await connect(port)
            play.add(Started(2.0))
            assert await read_chunk(reader) == START
            for _ in range(400):
                play.add(LogAdded("stdout", "x" * 65_536))
                assert b"event: log" in await read_chunk(reader)
                assert play.log._entries_bytes <= DEFAULT_MAX_BYTES
            play.add(Canceled(3.0))
            assert await read_chunk(reader) == b"id: 402\nevent: completed\ndata: {}\n\n"
            late = await read_stream(stuck)
            assert late.count(b"event: error") == 1
            assert b"SSE stream lagged" in late.rpartition(b"\nevent: ")[2]
            writer.close()
            stuck_writer.close()

    run(main)


@pytest.mark.slow
def test_a_thousand_tokens_reach_a_hundred_clients() -> None:
    async def main() -> None:
        play = Play()
        async with serving(app_of(play)) as port:
            clients = [await connect(port) for _ in range(100)]
            reading = [asyncio.create_task(read_stream(reader)) for reader, _ in clients]
            play.add(Started(2.0))
            for index in range(1000):
                play.add(OutputAdded(index, f"token{index}"))
                if index % 20 == 0:
                    await asyncio.sleep(0)
            play.add(Succeeded(3.0, streamed=True))
            texts = {await task for task in reading}
            assert len(texts) == 1
            ids = [line for line in texts.pop().split(b"\n") if line.startswith(b"id: ")]
            assert ids == [b"id: %d" % number for number in range(1, 1003)]
            for _, writer in clients:
                writer.close()

    run(main)
