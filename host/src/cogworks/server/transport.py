"""One system call an answer: its head waits for its body.

Uvicorn writes the head and the body of an answer one after the other, and uvloop sends each at
once; every further packet costs a system call here and wakes the client once more.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_JOINED_BYTES = 64 * 1024
"""Longer bodies are not copied once more to save a system call."""


class CoalescingTransport:
    """Stands before a transport and hands over its writes in pairs."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Stand before ``transport``."""
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

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
        if len(parts[-1]) > MAX_JOINED_BYTES:
            self._transport.writelines(parts)
        else:
            self._transport.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class CoalescingProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol on a transport that sends an answer by one call."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(
            cast("asyncio.Transport", CoalescingTransport(transport, self.loop))
        )
