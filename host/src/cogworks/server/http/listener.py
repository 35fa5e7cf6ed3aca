"""The listening socket, its connections, and the application that answers them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from cogworks.server.http.connection import Connection
from cogworks.server.http.exchange import Exchange
from cogworks.server.http.limits import BACKLOG
from cogworks.server.responses import WHOLE_ANSWER

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Prompt = Callable[[Exchange], bool]
"""Takes charge of a request: answers it, or sees to it that it is answered. False leaves it to the application."""

logger = logging.getLogger(__name__)


def _leave_all(exchange: Exchange) -> bool:
    return False


class Listener:
    """Accepts connections and runs the application for each request; ends all of it in order."""

    connection_class = Connection

    def __init__(self, app: ASGIApp, prompt: Prompt = _leave_all) -> None:
        """Answer by ``prompt`` what it can, by ``app`` all else."""
        self._app = app
        self._prompt = prompt
        self._connections: set[Connection] = set()
        self._running: dict[Exchange, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._emptied = asyncio.Event()
        self._emptied.set()

    async def start(self, sock: socket.socket) -> None:
        """Accept what comes on a socket that listens."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(
            lambda: self.connection_class(self, self._loop), sock=sock, backlog=BACKLOG
        )

    def stop_accepting(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()

    async def close(self, within_s: float) -> None:
        """End each connection after its present answer; those that last longer, by force."""
        self.stop_accepting()
        for connection in list(self._connections):
            connection.shut_down()
        try:
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        except TimeoutError:
            logger.error("%d connections did not end in time", len(self._connections))
            for task in self._running.values():
                task.cancel()
            for connection in list(self._connections):
                connection.abort()
            if self._running:
                await asyncio.wait(self._running.values())

    # -- what connections tell ----------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        """Note a connection."""
        self._connections.add(connection)
        self._emptied.clear()

    def discard(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self._note_empty()

    def begin(self, exchange: Exchange) -> None:
        """Answer a request: promptly where that is possible, else in a task of its own."""
        if not self._prompt(exchange):
            self._running[exchange] = self._loop.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        scope = exchange.scope
        scope["extensions"] = {WHOLE_ANSWER: exchange.answer}
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            logger.exception("a request failed")
        finally:
            exchange.abandon()
            del scope["extensions"]  # No circle: the garbage collector has nothing to find.
            del self._running[exchange]
            if not self._connections:
                self._note_empty()

    def _note_empty(self) -> None:
        if not self._connections and not self._running:
            self._emptied.set()
