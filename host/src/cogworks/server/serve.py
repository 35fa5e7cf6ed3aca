"""Run the HTTP server from start to end: workers first, then the socket, then an orderly shutdown."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cogworks.errors import CogworksError
from cogworks.server.http.limits import BACKLOG
from cogworks.server.launch import WorkerLaunch
from cogworks.server.process import WorkerProcess, spawn
from cogworks.server.settings import Settings


class AddressError(CogworksError):
    """The server cannot listen where it should."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        """Name the address and what the system says."""
        super().__init__(
            f"cannot listen on {host}:{port}: {error.strerror or error}. Choose another port, "
            "or end the process that uses this one."
        )


def serve(
    settings: Settings,
    launch: WorkerLaunch,
    document: dict[str, Any] | None,
    *,
    announce: Callable[[str], None],
    reload_paths: Path | None = None,
) -> int:
    """Serve until Ctrl-C, SIGTERM or ``POST /shutdown``; return the exit code.

    Args:
        announce: is told the URL once the socket listens.
        reload_paths: a folder; when a file in it changes, the workers are replaced.

    Raises:
        AddressError: the port is taken, or the address is not of this machine.
    """
    sock = _listen(settings.host, settings.port)
    processes = _spawn_first(settings, launch)
    # Imported here: the worker loads the model while this process loads its own libraries.
    import uvloop

    from cogworks.server.lifetime import Lifetime

    lifetime = Lifetime(settings, launch, document, processes, reload_paths)
    try:
        return uvloop.run(lifetime.run(sock, lambda: announce(_url(sock, settings.host))))
    finally:
        sock.close()
        for process in processes:
            process.end()  # Nothing is left to do, unless the start of the server has failed.


def _spawn_first(settings: Settings, launch: WorkerLaunch) -> Sequence[WorkerProcess]:
    processes: list[WorkerProcess] = []
    with contextlib.suppress(OSError):  # The supervisor tries again and reports why it cannot.
        for _ in range(settings.workers):
            processes.append(spawn(launch, settings.max_concurrency))
    return processes


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise AddressError(host, port, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise AddressError(host, port, error) from error
    sock.set_inheritable(False)
    return sock


def _url(sock: socket.socket, host: str) -> str:
    port = sock.getsockname()[1]
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
