"""One request and its answer: what ASGI sees of a connection. Source: ASGI 3, HTTP connection scope.

Beyond ASGI, ``answer`` sends a whole answer at once; ``responses.JsonResponse`` knows it. Nor does
whoever answers promptly (``listener.Prompt``) need the rest of ASGI.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cogworks.server.http.limits import HIGH_WATER_BYTES, MAX_JOINED_BYTES

if TYPE_CHECKING:
    from starlette.types import Message, Scope

    from cogworks.server.http.connection import Connection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_NO_LENGTH = frozenset({204, 304})
"""Answers that have no body, and so no length. Source: RFC 9110, 8.6."""


def _status_line(status: http.HTTPStatus) -> bytes:
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()


STATUS_LINES = {
    **{status: b"HTTP/1.1 %d \r\n" % status for status in range(200, 600)},
    **{status.value: _status_line(status) for status in http.HTTPStatus},
}


class Exchange:
    """A request as it comes in, and the answer as it goes out; the connection owns it.

    ``is_received`` once the request is whole, ``is_answered`` once the answer is; ``is_lost`` when
    the client has left, before or after.
    """

    __slots__ = (
        "_body_parts",
        "_connection",
        "_expects_continue",
        "_has_told_end",
        "_head",
        "_is_chunked",
        "_is_head",
        "_left_bytes",
        "_waiters",
        "_waiting_bytes",
        "is_answered",
        "is_begun",
        "is_lost",
        "is_received",
        "keeps_alive",
        "scope",
    )

    def __init__(
        self, connection: Connection, scope: Scope, *, keeps_alive: bool, expects_continue: bool
    ) -> None:
        """Begin with the head of a request; its body may follow."""
        self.scope = scope
        self.keeps_alive = keeps_alive
        self.is_received = False
        self.is_begun = False
        self.is_answered = False
        self.is_lost = False
        self._connection = connection
        self._expects_continue = expects_continue
        self._is_head = scope["method"] == "HEAD"
        self._body_parts: list[bytes] = []
        self._waiting_bytes = 0
        self._has_told_end = False
        self._head: bytes | None = None
        self._is_chunked = False
        self._left_bytes: int | None = None
        self._waiters: list[asyncio.Future[None]] | None = None

    # -- what the connection tells ------------------------------------------------------------

    def feed(self, part: bytes) -> None:
        """Take a part of the body; after the answer it is thrown away."""
        if self.is_answered:
            return
        self._body_parts.append(part)
        self._waiting_bytes += len(part)
        if self._waiting_bytes > HIGH_WATER_BYTES:
            self._connection.pause_reading()
        self._wake()

    def finish(self) -> None:
        """Note that the request is whole."""
        self.is_received = True
        self._wake()

    def lose(self) -> None:
        """Note that the client has left, or is not listened to any more."""
        self.is_lost = True
        self._wake()

    # -- what the application calls -----------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next part of the body; after its end, wait until the client leaves."""
        if self._expects_continue and not self.is_begun:
            self._expects_continue = False
            self._connection.write(CONTINUE)
        while not (self.is_answered or self.is_lost):
            if self._body_parts or (self.is_received and not self._has_told_end):
                return self._take_body()
            self._connection.resume_reading()
            await self._wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the answer: the head waits for the first part of the body, for one turn."""
        await self._connection.drain()
        if self.is_lost:
            return
        if message["type"] == "http.response.start":
            self._begin(message["status"], message.get("headers", ()))
        elif self.is_begun and not self.is_answered:
            self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"unexpected ASGI message {message['type']!r}")

    def peek_body(self, most_bytes: int) -> bytes | None:
        """Return the body if it is there to its end, untouched and no longer than this.

        Not that of a client that expects to be told to go on: ``receive`` tells it.
        """
        is_whole = self.is_received and not (self._has_told_end or self._expects_continue)
        if not is_whole or self._waiting_bytes > most_bytes:
            return None
        if len(self._body_parts) != 1:
            self._body_parts = [b"".join(self._body_parts)]
        return self._body_parts[0]

    def forget_body(self) -> None:
        """Let go of a body that was peeked at."""
        self._body_parts = []
        self._waiting_bytes = 0
        self._has_told_end = True

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        r"""Send a whole answer.

        Args:
            headers: lines that end with ``\r\n``; without a length, which is added.
        """
        if self.is_lost:
            return
        close = b"" if self.keeps_alive else b"connection: close\r\n"
        head = b"%bcontent-length: %d\r\n%b%b\r\n" % (
            STATUS_LINES[status],
            len(body),
            headers,
            close,
        )
        self.is_begun = True
        self._write(head, b"" if self._is_head else body)
        self._complete()

    def abandon(self) -> None:
        """End an answer that the application did not: nobody may take it for whole."""
        if self.is_answered or self.is_lost:
            return
        if self.is_begun:
            self._connection.close()
        else:
            self.keeps_alive = False
            self.answer(500, b"content-type: text/plain\r\n", b"Internal Server Error")

    def flush(self) -> None:
        """Send a head that still waits for its body."""
        if self._head is not None and not self.is_lost:
            head, self._head = self._head, None
            self._connection.write(head)

    # -- how ----------------------------------------------------------------------------------

    def _take_body(self) -> Message:
        parts = self._body_parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._body_parts = []
        self._waiting_bytes = 0
        self._has_told_end = self.is_received
        return {"type": "http.request", "body": body, "more_body": not self.is_received}

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if self.is_begun:
            raise RuntimeError("the answer has begun already")
        lines = [STATUS_LINES[status]]
        for name, value in headers:
            if b"\n" in value or b"\r" in value:
                raise RuntimeError(f"a header of the answer has more than one line: {name!r}")
            lines += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                self._left_bytes = int(value)
        if self._left_bytes is None and status not in _NO_LENGTH:
            if self.scope["http_version"] == "1.0":
                self.keeps_alive = False  # The end of the connection is the end of the body.
            else:
                self._is_chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
        if not self.keeps_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self.is_begun = True
        self._head = b"".join(lines)
        self._connection.call_soon(self.flush)

    def _send_body(self, body: bytes, *, is_last: bool) -> None:
        head, self._head = self._head or b"", None
        if self._left_bytes is not None and not self._is_head:
            self._left_bytes -= len(body)
            if self._left_bytes < 0 or (is_last and self._left_bytes):
                raise RuntimeError("the answer has not the length that its head says")
        if self._is_head:
            body = b""
        elif self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk + b"0\r\n\r\n" if is_last else chunk
        self._write(head, body)
        if is_last:
            self._complete()

    def _write(self, head: bytes, body: bytes) -> None:
        if len(body) > MAX_JOINED_BYTES:
            self._connection.write_both(head, body)
        elif head or body:
            self._connection.write(head + body)

    def _complete(self) -> None:
        self.is_answered = True
        self._body_parts = []
        self._wake()
        self._connection.on_answered(self)

    async def _wait(self) -> None:
        """Wait until something has changed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._waiters is not None:
            waiters, self._waiters = self._waiters, None
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)


_ASGI = {"version": "3.0", "spec_version": "2.5"}


def new_scope(
    method: str, http_version: str, target: tuple[str, bytes, bytes], headers: list[Any]
) -> Scope:
    """Return the scope of a request; ``target`` is the path, the raw path and the query."""
    path, raw_path, query = target
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": http_version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
    }
