"""What uvicorn's HTTP protocol lacks: one system call an answer, and bounds for bad clients.

Uvicorn writes the head and the body of an answer one after the other, and uvloop sends each at
once; every further packet costs a system call here and wakes the client once more. And it waits
for ever: for the rest of a request, for a client to read; and it keeps heads of any size.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from cogworks.server.responses import error_response

MAX_JOINED_BYTES = 64 * 1024
"""Longer bodies are not copied once more to save a system call."""

MAX_HEAD_BYTES = 64 * 1024
"""Most that a request may have before its body, and between the parts of its body."""

LINE_BYTES = 4
"""What a header has besides its name and its value."""

PATIENCE_S = 60.0
"""How long a client may take for its next step: to send a head or a body, or to read. Source: nginx."""

LEAST_BYTES_PER_S = 500
"""A body that comes at least this fast may take longer. Source: Apache, mod_reqtimeout."""

CHECK_S = 5.0
"""How often each connection is looked at; so much longer it may take to be given up."""


class CoalescingTransport:
    """Stands before a transport and hands over its writes in pairs."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Stand before ``transport``."""
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._written_bytes = 0

    @property
    def sent_bytes(self) -> int:
        """How much the system has taken so far."""
        return self._written_bytes - self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Keep a first piece until the next one comes, or the turn is over."""
        self._parts.append(data)
        if len(self._parts) == 1:
            self._loop.call_soon(self._flush)
        else:
            self._flush()

    def close(self) -> None:
        """Send what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if not parts or self._transport.is_closing():
            return
        self._written_bytes += sum(map(len, parts))
        if len(parts[-1]) > MAX_JOINED_BYTES:
            self._transport.writelines(parts)
        else:
            self._transport.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol on a transport that sends an answer by one call, within bounds.

    A connection is given up when nothing happens on it though it is the client's turn: to send
    the rest of a request, or to read. While the server works, it may last as long as it likes.
    """

    patience_s = PATIENCE_S
    check_s = CHECK_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        self._out = CoalescingTransport(transport, self.loop)
        self._current: RequestResponseCycle | None = None
        self._is_in_head = False
        self._is_too_large = False
        self._pending_bytes = 0
        self._chunk_bytes = 0
        self._received_bytes = 0
        self._step_at = self.loop.time()
        self._step: tuple[object, int] = (None, 0)
        self._check_timer = self.loop.call_later(self.check_s, self._check)
        super().connection_made(cast("asyncio.Transport", self._out))

    def connection_lost(self, exc: Exception | None) -> None:
        """End everything of the connection; uvicorn only tells the request that came last."""
        self._check_timer.cancel()
        for cycle in (self._current, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and refuse to collect a head without end."""
        self._chunk_bytes = len(data)
        self._received_bytes += len(data)
        self._pending_bytes += len(data)
        super().data_received(data)
        if self._pending_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_large()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._is_in_head = True
        self._pending_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; one that follows the body is ignored, as RFC 9110, 6.5.1 allows."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too large."""
        may_be_large = self._pending_bytes + self._chunk_bytes > MAX_HEAD_BYTES
        self._is_in_head = False
        self._pending_bytes = 0
        if may_be_large and self._head_bytes() > MAX_HEAD_BYTES:
            self._is_too_large = True
            raise ValueError("the head is too large")  # The parser stops; see send_400_response.
        super().on_headers_complete()
        if self.expect_100_continue:
            # A client that is refused may send its body or not: nobody can tell what comes next.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._pending_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._pending_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the envelope of errors."""
        if self._is_too_large:
            self._refuse_large()
        else:
            self._refuse(400, "This is not a valid HTTP request")

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol is answered in this one."""

    def _head_bytes(self) -> int:
        lines = sum(len(name) + len(value) + LINE_BYTES for name, value in self.headers)
        return len(self.url) + lines

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def _check(self) -> None:
        """Give the client up if it has taken no step for too long."""
        now = self.loop.time()
        cycle, sent_bytes = self._current, self._out.sent_bytes
        is_answered = cycle is None or cycle.response_complete
        is_ours = not is_answered and cycle is not None and not cycle.more_body
        is_unread = self._out.get_write_buffer_size() > 0
        step = (cycle, sent_bytes)
        if step != self._step or (is_ours and not is_unread):
            self._step, self._step_at, self._received_bytes = step, now, 0
        patience_s = self.patience_s
        if not is_answered:  # What comes after an answer is only thrown away.
            patience_s += self._received_bytes / LEAST_BYTES_PER_S
        if now - self._step_at > patience_s:
            self._give_up()
        self._check_timer = self.loop.call_later(self.check_s, self._check)

    def _give_up(self) -> None:
        cycle = self._current
        lacks_body = cycle is not None and cycle.more_body
        is_answered = cycle is None or cycle.response_complete
        if self.transport.is_closing() or self._out.get_write_buffer_size():
            self.transport.abort()
        elif is_answered and (lacks_body or not self._received_bytes):
            self.transport.close()  # Nothing was asked that has no answer.
        else:
            self._refuse(408, "The rest of the request did not come in time")

    def _refuse_large(self) -> None:
        self._refuse(431, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes")

    def _refuse(self, status: int, message: str) -> None:
        """Close the connection, with an answer unless one is on its way."""
        cycle = self._current
        if cycle is None or cycle.response_complete or not cycle.response_started:
            body = error_response(status, message).body
            head = (
                b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            )
            self.transport.write(STATUS_LINE[status] + head % len(body))
            self.transport.write(body)
        self.transport.close()
