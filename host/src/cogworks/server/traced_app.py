"""The span of each request, around the application; there only where traces are wanted.

Probes and scrapes come every few seconds and tell nothing: they have none. A query may hold what is
secret: it is not told. Source: OpenTelemetry semantic conventions, "HTTP server span".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from cogworks.server.requests import TRACE_HEADERS, find_header
from cogworks.server.spans import Spans, fail

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNTRACED = frozenset({"/livez", "/readyz", "/health-check", "/metrics"})

KNOWN_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
"""What a span may be named after; all else is ``HTTP`` and ``_OTHER``."""

MAX_TEXT = 200
"""How much of what clients choose is told, in characters."""


class TracedApp:
    """Gives each request a span; what happens within it, and in its task, belongs to that."""

    def __init__(self, app: ASGIApp, spans: Spans, routes: Iterable[str]) -> None:
        """Wrap ``app``; ``routes`` are its paths, with ``{id}`` for the id of a prediction."""
        self._app = app
        self._spans = spans
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Source: ASGI 3, HTTP connection scope."""
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        span = self._begin(scope)
        scope["extensions"] = {}  # Every answer has to pass here.

        async def send_and_see(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note_status(span, message["status"])
            await send(message)

        with trace.use_span(span, end_on_exit=True, record_exception=True):
            await self._app(scope, receive, send_and_see)

    def _begin(self, scope: Scope) -> Span:
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "_OTHER"
        route = self._find_route(scope)
        name = "HTTP" if method == "_OTHER" else method
        headers = {name: _text(find_header(scope, name.encode())) for name in TRACE_HEADERS}
        return self._spans.tracer.start_span(
            f"{name} {route}" if route else name,
            self._spans.extract({name: value for name, value in headers.items() if value}),
            SpanKind.SERVER,
            {**_describe(scope, method), **({"http.route": route} if route else {})},
        )

    def _find_route(self, scope: Scope) -> str | None:
        parts = [unquote(part) for part in scope["raw_path"].decode("latin-1").split("/")]
        if len(parts) in (3, 4):
            parts[2] = "{id}"
        path = "/".join(parts)
        return path if path in self._routes else None


def _describe(scope: Scope, method: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "http.request.method": method,
        "url.path": scope["path"][:MAX_TEXT],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
    }
    if method == "_OTHER":
        found["http.request.method_original"] = scope["method"][:MAX_TEXT]
    if scope.get("server"):
        found["server.address"], found["server.port"] = scope["server"]
    if scope.get("client"):
        found["client.address"] = scope["client"][0]
    if agent := find_header(scope, b"user-agent"):
        found["user_agent.original"] = _text(agent)[:MAX_TEXT]
    return found


def _note_status(span: Span, status: int) -> None:
    """Tell the status; it is a failure of the server from 500 on."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        fail(span, str(status), "")


def _text(value: bytes) -> str:
    return value.decode("latin-1")
