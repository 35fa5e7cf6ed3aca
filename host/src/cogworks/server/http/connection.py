"""One connection: requests are parsed by httptools, answered one after the other, within bounds.

A connection is given up when nothing happens on it though it is the client's turn: to send the rest
of a request, to read, or to ask again. While the server works, it may last as long as it likes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import httptools

from cogworks.server.http.exchange import Exchange, new_scope
from cogworks.server.http.limits import (
    CHECK_S,
    IDLE_S,
    LEAST_BYTES_PER_S,
    LINE_BYTES,
    LINGER_S,
    MAX_HEAD_BYTES,
    PATIENCE_S,
)
from cogworks.server.responses import error_response

if TYPE_CHECKING:
    from cogworks.server.http.listener import Listener

_PLAIN_PATH = frozenset(b"/-_.~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Connection(asyncio.Protocol):
    """Feeds one parser, starts exchanges in turn, and watches the clock."""

    patience_s = PATIENCE_S
    idle_s = IDLE_S
    check_s = CHECK_S
    linger_s = LINGER_S

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        """Begin for ``listener``, which runs the application."""
        self._listener = listener
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        # A client that says "close" and sends on is answered all the same.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._is_reading = True
        self._is_closing = False
        self._is_refusing = False
        self._drained: asyncio.Future[None] | None = None
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        # What is being parsed.
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._is_in_head = False
        self._is_too_large = False
        self._pending_bytes = 0
        self._chunk_bytes = 0
        # What is being answered, what waits for its turn, and whose body comes in.
        self._current: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._incoming: Exchange | None = None
        self._has_new = False
        # What the clock is about.
        self._received_bytes = 0
        self._written_bytes = 0
        self._step: tuple[object, ...] = ()
        self._step_at = loop.time()
        self._check_timer: asyncio.TimerHandle | None = None

    # -- asyncio.Protocol ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._client = transport.get_extra_info("peername")
        self._server = transport.get_extra_info("sockname")
        self._listener.add(self)
        self._check_timer = self._loop.call_later(self.check_s, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """End everything of the connection."""
        if self._check_timer is not None:
            self._check_timer.cancel()
        for exchange in (self._current, *self._queue):
            if exchange is not None:
                exchange.lose()
        self._queue.clear()
        del self._parser  # It knows this object, as this one knows it.
        self.resume_writing()
        self._listener.discard(self)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and refuse to collect a head without end."""
        if self._is_closing:
            return
        size_bytes = len(data)
        self._chunk_bytes = size_bytes
        self._received_bytes += size_bytes
        self._pending_bytes += size_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # Whoever asks for another protocol is answered in this one.
        except httptools.HttpParserError:
            if self._is_too_large:
                self._refuse_large()
            else:
                self._refuse(400, "This is not a valid HTTP request")
            return
        if self._pending_bytes > MAX_HEAD_BYTES and not self._is_closing:
            self._refuse_large()
        elif self._has_new:
            # Not before: most requests are here to their ends by now, and can be answered promptly.
            self._has_new = False
            self._begin()

    def eof_received(self) -> bool:
        """Let the transport close: who does not send any more does not wait for an answer either."""
        return False

    def pause_writing(self) -> None:
        """Let the application wait until the client has read."""
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the application go on."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # -- httptools ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._is_in_head = True
        self._pending_bytes = 0
        self._url = b""
        self._headers = []
        self._expects_continue = False

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; one that follows the body is ignored, as RFC 9110, 6.5.1 allows."""
        if not self._is_in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too large, or another request is before this one."""
        may_be_large = self._pending_bytes + self._chunk_bytes > MAX_HEAD_BYTES
        self._is_in_head = False
        self._pending_bytes = 0
        if may_be_large and self._head_bytes() > MAX_HEAD_BYTES:
            self._is_too_large = True
            raise ValueError("the head is too large")  # The parser stops; see data_received.
        if self._is_closing:
            return  # The answer before this one was the last.
        parser = self._parser
        version = parser.get_http_version()
        scope = new_scope(
            parser.get_method().decode("ascii"), version, _split(self._url), self._headers
        )
        scope["client"] = self._client
        scope["server"] = self._server
        # Where a client that expects "continue" is refused, it may send its body or not: nobody can
        # tell what comes next. And after an upgrade that we do not take, the parser reads no further.
        keeps_alive = parser.should_keep_alive() and not (
            self._expects_continue or parser.should_upgrade() or version == "1.0"
        )
        exchange = Exchange(
            self, scope, keeps_alive=keeps_alive, expects_continue=self._expects_continue
        )
        self._incoming = exchange
        if self._current is None and not self._queue:
            self._current = exchange
            self._has_new = True
        else:
            self.pause_reading()
            self._queue.append(exchange)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._pending_bytes = 0
        if self._incoming is not None:
            self._incoming.feed(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._pending_bytes = 0
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.finish()

    # -- what exchanges need ------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send; nothing happens when the client is gone."""
        if not (self._is_closing or self._transport.is_closing()):
            self._written_bytes += len(data)
            self._transport.write(data)

    def write_both(self, head: bytes, body: bytes) -> None:
        """Send two pieces by one system call without joining them."""
        if not (self._is_closing or self._transport.is_closing()):
            self._written_bytes += len(head) + len(body)
            self._transport.writelines((head, body))

    async def drain(self) -> None:
        """Wait until the client has read most of what was sent."""
        if self._drained is not None:
            await asyncio.shield(self._drained)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call in the next turn of the loop."""
        self._loop.call_soon(callback)

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if self._is_reading and not self._transport.is_closing():
            self._is_reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the client."""
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()

    def on_answered(self, exchange: Exchange) -> None:
        """Go on with the next request, or close where that was the last."""
        self._current = None
        if not exchange.keeps_alive:
            self.close()
        elif self._queue:
            # Not at once: each may be answered on the spot, and that thousands deep.
            self._loop.call_soon(self._begin_next)
        else:
            self.resume_reading()

    def close(self) -> None:
        """Close when everything is sent.

        A system that is sent more after that answers with a reset, which may take the answer from
        the client before it was read; so the rest of a request is let in for a while, and ignored.
        """
        if self._is_closing:
            return
        self._is_closing = True
        is_whole = self._incoming is None and not self._is_refusing
        if is_whole or self._transport.is_closing():
            self._transport.close()
            return
        self.resume_reading()
        self._transport.write_eof()
        self._loop.call_later(self.linger_s, self._transport.close)

    # -- what the listener needs --------------------------------------------------------------

    def shut_down(self) -> None:
        """Close after the answer that is on its way; at once if there is none."""
        if self._current is not None:
            self._current.keeps_alive = False
        elif not self._queue:
            self.close()
        else:
            self._queue[0].keeps_alive = False

    def abort(self) -> None:
        """Close, whatever is left to send."""
        self._transport.abort()

    def _begin_next(self) -> None:
        if self._queue and not self._is_closing:
            self._current = self._queue.popleft()
            self._begin()

    def _begin(self) -> None:
        if self._current is not None:
            self._listener.begin(self._current)

    # -- the clock ----------------------------------------------------------------------------

    def _check(self) -> None:
        """Give the client up if it has taken no step for too long."""
        now = self._loop.time()
        exchange = self._current
        unread_bytes = self._transport.get_write_buffer_size()
        is_awaited = exchange is not None and (exchange.is_received or not self._is_reading)
        is_ours = is_awaited and not unread_bytes
        step = (exchange, self._written_bytes - unread_bytes, self._is_in_head)
        if is_ours or step != self._step:
            self._step, self._step_at, self._received_bytes = step, now, 0
        if now - self._step_at > self._allowed_s():
            self._give_up()
        self._check_timer = self._loop.call_later(self.check_s, self._check)

    def _allowed_s(self) -> float:
        if self._current is not None or self._is_in_head:
            return self.patience_s + self._received_bytes / LEAST_BYTES_PER_S
        if self._incoming is not None or not self._written_bytes:
            return self.patience_s  # What comes after an answer is only thrown away.
        return self.idle_s

    def _give_up(self) -> None:
        if self._transport.is_closing() or self._transport.get_write_buffer_size():
            self._transport.abort()
        elif self._current is None and not self._is_in_head:
            self.close()  # Nothing was asked that has no answer.
        else:
            self._refuse(408, "The rest of the request did not come in time")

    def _head_bytes(self) -> int:
        lines = sum(len(name) + len(value) + LINE_BYTES for name, value in self._headers)
        return len(self._url) + lines

    def _refuse_large(self) -> None:
        self._refuse(431, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes")

    def _refuse(self, status: int, message: str) -> None:
        """Close the connection, with an answer unless one is on its way."""
        if self._is_closing:
            return
        self._is_refusing = True
        exchange = self._current
        if exchange is None:
            scope = new_scope("GET", "1.1", ("", b"", b""), [])
            exchange = Exchange(self, scope, keeps_alive=False, expects_continue=False)
        if not exchange.is_begun:
            exchange.keeps_alive = False
            response = error_response(status, message)
            exchange.answer(status, response.head, response.body)
        exchange.lose()
        self.close()


def _split(url: bytes) -> tuple[str, bytes, bytes]:
    """Return path, raw path and query of a target; plain ones, nearly all, in no time.

    Raises:
        ValueError, httptools.HttpParserError: it is none.
    """
    if _PLAIN_PATH.issuperset(url):
        return url.decode("ascii"), url, b""
    parsed = httptools.parse_url(url)
    raw_path = parsed.path or b"/"
    return unquote(raw_path.decode("ascii")), raw_path, parsed.query or b""
