"""A small HTTP client that can hang up whenever it likes: one connection a request."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; ``data`` is the body's JSON."""

    status: int
    body: bytes

    @property
    def data(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class Reply:
    """An answer whose head has arrived."""

    def __init__(self, reader: asyncio.StreamReader, status: int, is_chunked: bool) -> None:
        self.status = status
        self._reader = reader
        self._is_chunked = is_chunked

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes; a body that is cut raises ``IncompleteReadError``."""
        while self._is_chunked:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            piece = await self._reader.readexactly(size + 2)
            if not size:
                return
            yield piece[:-2]
        # One connection a request: what has no chunks ends with the connection.
        while piece := await self._reader.read(64 * 1024):
            yield piece

    async def events(self) -> AsyncGenerator[tuple[str, Any]]:
        """Yield name and data of each server-sent event."""
        rest = b""
        async for piece in self.pieces():
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                lines = (line.partition(": ") for line in block.decode().splitlines())
                fields = {name: text for name, _, text in lines}
                if "event" in fields:
                    yield fields["event"], json.loads(fields["data"])


class Client:
    """Speaks to one server on the loopback interface."""

    def __init__(self, port: int) -> None:
        self._port = port

    @asynccontextmanager
    async def open(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> AsyncGenerator[Reply]:
        """Send a request; to leave the context is to hang up."""
        body = b"" if data is None else json.dumps(data).encode()
        head = {
            "Host": "127.0.0.1",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in head.items())]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
            yield Reply(reader, int(first.split()[1]), "transfer-encoding: chunked" in rest)
        finally:
            writer.transport.abort()

    async def request(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        """Send a request and read the whole answer."""
        async with self.open(method, path, data, headers) as reply:
            return Answer(reply.status, b"".join([piece async for piece in reply.pieces()]))
