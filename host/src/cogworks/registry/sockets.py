"""The open connections of an HTTP client: threads that wait for an answer go on when their connections are cut.

A registry that is silent is waited for up to a minute, and a thread that waits hears no signal.
"""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_OPENED = ("connect_tcp.complete", "start_tls.complete")
"""What httpcore's trace calls the moments when there is a new connection."""


class Sockets:
    """`client.build_request(..., extensions=sockets.extensions)`, and later, from any thread, `sockets.cut()`.

    Attributes:
        stopped: set once they are cut; new ones are cut at once.
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        # No lock: a signal may come while this thread has it. A dictionary's values are copied at once.
        self._open: dict[int, weakref.ref[socket.socket]] = {}

    @property
    def extensions(self) -> dict[str, Any]:
        """What a request has to carry, so that its connection is known here."""
        return {"trace": self._note}

    def cut(self) -> None:
        """End all connections: who reads from one, or writes to one, gets an error."""
        self.stopped.set()
        for reference in list(self._open.values()):
            _shut(reference())

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        if not event.endswith(_OPENED):
            return
        found: socket.socket | None = info["return_value"].get_extra_info("socket")
        if found is not None:
            key = id(found)
            self._open[key] = weakref.ref(found, lambda _: self._open.pop(key, None))
            if self.stopped.is_set():
                _shut(found)


def _shut(found: socket.socket | None) -> None:
    if found is not None:
        with suppress(OSError):
            found.shutdown(socket.SHUT_RDWR)
