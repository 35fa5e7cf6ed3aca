"""FakeRegistry: a registry on loopback, real HTTP, that keeps everything in memory and misbehaves on command.

    with FakeRegistry() as registry:
        registry.add_fault(Fault(method="PUT", status=503, times=2))
        push(f"{registry.host}/me/model:v1")
        assert registry.state.tags["me/model"].keys() == {"v1"}

It speaks the push and pull half of the OCI distribution-spec v1.1. With ``users`` it wants to be logged in to: by
tokens, which its own `/token` sells, or with ``auth="basic"`` by user and password each time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from cogworks.testing.registry_access import Access
from cogworks.testing.registry_faults import Fault, Faults
from cogworks.testing.registry_http import Handler
from cogworks.testing.registry_state import RegistryState, Seen

__all__ = ["FakeRegistry", "Fault", "RegistryLimits", "Seen"]


@dataclass
class RegistryLimits:
    """What the registry takes; 0 is no limit.

    Attributes:
        chunk_min, chunk_max: told in `OCI-Chunk-Min-Length` and `OCI-Chunk-Max-Length`; chunks must obey.
        body_max: more in one request is answered with 413.
        takes_chunks: otherwise a second PATCH is refused.
        redirect_blobs_to: where reading a blob is sent to, the digest added; empty is here.
        lose_at_manifest: blobs that are gone when the next manifest is put.
        takes_ranges: otherwise a blob is sent whole whatever was asked.
        has_referrers: it lists by itself which artifacts belong to an image; otherwise clients have to.
    """

    chunk_min: int = 0
    chunk_max: int = 0
    body_max: int = 0
    takes_chunks: bool = True
    redirect_blobs_to: str = ""
    lose_at_manifest: set[str] = field(default_factory=set[str])
    takes_ranges: bool = True
    has_referrers: bool = True


class FakeRegistry:
    """A registry for tests; it serves inside its `with`."""

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        auth: Literal["token", "basic"] = "token",
        anonymous_pull: bool = False,
    ) -> None:
        self.state = RegistryState()
        self.limits = RegistryLimits()
        self.faults = Faults()
        self.access = Access(dict(users or {}), auth, anonymous_pull=anonymous_pull)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, what comes first in an image's name."""
        if self._server is None:
            raise RuntimeError("the registry does not serve; use it in a `with`")
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and target of every request so far."""
        return [(seen.method, seen.target) for seen in self.state.seen]

    def add_fault(self, fault: Fault) -> None:
        """Misbehave."""
        self.faults.add(fault)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.fake = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="fake-registry"
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.end_connections()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Ends with all its connections, and says nothing of those that break: that is what tests are about."""

    fake: FakeRegistry
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Wake the threads that wait for a next request."""
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""
