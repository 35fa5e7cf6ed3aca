"""A prediction as a stream of server-sent events: the ASGI side of ``event_log``.

One stream is one client. It sends what the log has for it, as many events at once as there are, and a
comment when nothing happens for a while, so that nobody on the way takes the connection for dead. It
ends after the last event, when the client leaves, or when the client reads nothing for too long.
Source: HTML Living Standard, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cogworks.server.event_log import Subscription

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 15.0
"""Longest silence on a stream. Source: Cog."""

STALL_S = 60.0
"""How long a client may read nothing while there is something to send, before it is given up."""

RETRY_MS = 1000
"""What a client is asked to wait before it connects again."""

MAX_SEND_BYTES = 256 * 1024
"""Most bytes handed to the HTTP server at once: it copies what the socket does not take."""

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    # nginx would collect the events otherwise. Source: ngx_http_proxy_module, proxy_buffering.
    (b"x-accel-buffering", b"no"),
]

MAX_ID_DIGITS = 18
"""Digits of an id that is believed; a log never gets so far."""


def read_last_event_id(scope: Scope) -> int | None:
    """Return the id after which a client wants to go on; None if it names none, or nonsense."""
    for name, value in scope["headers"]:
        if name == b"last-event-id" and value.isdigit() and len(value) <= MAX_ID_DIGITS:
            return int(value)
    return None


class EventStream:
    """An ASGI application that sends a subscription's events and closes it afterwards.

    A client that has seen the last event is told by 204 not to come again.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        on_leave: Callable[[], None] | None = None,
        headers: dict[str, str] | None = None,
        keep_alive_s: float = KEEP_ALIVE_S,
        stall_s: float = STALL_S,
    ) -> None:
        """Prepare the answer.

        Args:
            subscription: belongs to the stream from now on.
            on_leave: called once, however the stream ended, after the subscription was closed.
            headers: added to the stream's own.
            keep_alive_s: longest silence.
            stall_s: how long a client may leave its buffers full; looked at every ``keep_alive_s``.
        """
        self._subscription = subscription
        self._on_leave = on_leave
        self._headers = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        self._keep_alive_s = keep_alive_s
        self._stall_s = stall_s
        self.status = 204 if subscription.is_over else 200
        self.sent_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the end. Source: ASGI 3, HTTP response events."""
        try:
            if self.status == 204:
                await _send_empty(send, 204, self._headers)
            elif scope["method"] == "HEAD":
                await _send_empty(send, 200, HEADERS + self._headers)
            else:
                await self._follow(receive, send)
        finally:
            self._subscription.close()
            if self._on_leave is not None:
                self._on_leave()

    async def _follow(self, receive: Receive, send: Send) -> None:
        bell = asyncio.Event()
        leaving = asyncio.create_task(_wait_disconnect(receive))
        leaving.add_done_callback(lambda _: bell.set())
        patience = asyncio.timeout(None)
        try:
            async with patience:
                pulse = _Pulse(bell, patience, self._keep_alive_s, self._stall_s)
                sink = _Sink(send, pulse)
                try:
                    await self._send_events(sink, bell, leaving)
                finally:
                    pulse.stop()
                    self.sent_bytes = sink.sent_bytes
        except TimeoutError:
            if not patience.expired():
                raise
            logger.info("a stream was given up: the client read nothing for %g s", self._stall_s)
        except OSError:
            logger.debug("a stream's client has left", exc_info=True)
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _send_events(
        self, sink: _Sink, bell: asyncio.Event, leaving: asyncio.Task[None]
    ) -> None:
        await sink.begin(HEADERS + self._headers)
        await sink.write(b"retry: %d\n\n" % RETRY_MS)
        while not leaving.done():
            parts = self._subscription.read()
            for piece in _pieces(parts):
                await sink.write(piece)
                if leaving.done():
                    return
            if self._subscription.is_over:
                await sink.end()
                return
            if parts:
                # A long history must not keep the others waiting.
                await asyncio.sleep(0)
                continue
            bell.clear()
            self._subscription.wake_when_ready(bell.set)
            await bell.wait()
            if sink.pulse.is_due:
                await sink.write(b": keep-alive\n\n")


class _Pulse:
    """Rings when nothing was sent for a while; runs out of patience when sending takes too long."""

    def __init__(
        self, bell: asyncio.Event, patience: asyncio.Timeout, period_s: float, stall_s: float
    ) -> None:
        self.is_due = False
        self._bell = bell
        self._patience = patience
        self._period_s = period_s
        self._stall_s = stall_s
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self._is_sending = False
        self._timer = self._loop.call_later(period_s, self._beat)

    def begin_send(self) -> None:
        self._is_sending = True
        self._sent_at = self._loop.time()

    def end_send(self) -> None:
        self._is_sending = False
        self.is_due = False
        self._sent_at = self._loop.time()

    def stop(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        silent_s = self._loop.time() - self._sent_at
        next_s = self._period_s
        if self._is_sending:
            if silent_s >= self._stall_s:
                self._patience.reschedule(self._loop.time())
                return
            next_s = min(next_s, self._stall_s - silent_s)
        elif silent_s >= self._period_s:
            self.is_due = True
            self._bell.set()
        else:
            next_s = self._period_s - silent_s
        self._timer = self._loop.call_later(next_s, self._beat)


class _Sink:
    """The way to the client."""

    def __init__(self, send: Send, pulse: _Pulse) -> None:
        self._send = send
        self.pulse = pulse
        self.sent_bytes = 0

    async def begin(self, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, data: bytes) -> None:
        self.sent_bytes += len(data)
        self.pulse.begin_send()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self.pulse.end_send()

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_empty(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _pieces(parts: list[bytes]) -> Iterator[bytes]:
    for part in parts:
        if len(part) <= MAX_SEND_BYTES:
            yield part
            continue
        view = memoryview(part)
        for start in range(0, len(part), MAX_SEND_BYTES):
            yield bytes(view[start : start + MAX_SEND_BYTES])
