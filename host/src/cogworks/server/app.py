"""The ASGI application: a table of routes, errors turned into answers, nothing else in the way.

An exact look-up comes first, which keeps the cost of a prediction low; then the few paths that
have an id at their second place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from cogworks.server.auth import Auth, NoAuth
from cogworks.server.metrics import Metrics
from cogworks.server.requests import find_header
from cogworks.server.responses import JsonResponse, error_response
from cogworks.server.routes import Endpoint, Routes, answer_any_error
from cogworks.server.sse import EventStream

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cogworks.server.http.exchange import Exchange


class App:
    """Finds the endpoint of a request and sends its answer."""

    def __init__(self, routes: Routes, metrics: Metrics, auth: Auth | None = None) -> None:
        """Arrange the routes by path and method; ``auth`` decides who may use them."""
        self._metrics = metrics
        self._auth = auth or NoAuth()
        self._endpoints: dict[str, dict[str, Endpoint]] = {}
        self._with_id: dict[str, dict[str, Endpoint]] = {}
        self._probes = routes.probes()
        self._plain_path, self._plain_requests = routes.plain_requests()
        for method, path, endpoint in routes.table():
            table = self._with_id if "{id}" in path else self._endpoints
            table.setdefault(path, {})[method] = endpoint

    def prompt(self, exchange: Exchange) -> bool:
        """Answer a probe, or begin a prediction that is asked for plainly; return False for all else."""
        scope = exchange.scope
        if scope["method"] == "POST" and scope["path"] == self._plain_path:
            is_welcome = self._auth.refusal(scope) is None
            return is_welcome and self._plain_requests.begin(
                exchange, self._metrics.record_response
            )
        return self.prompt_probe(exchange)

    def prompt_probe(self, exchange: Exchange) -> bool:
        """Answer what a probe asks, if that needs no waiting; probes bear no token."""
        scope = exchange.scope
        answer = self._probes.get(scope["path"]) if scope["method"] == "GET" else None
        response = answer() if answer is not None else None
        if response is None:
            return False
        exchange.answer(response.status, response.head, response.body)
        self._metrics.record_response(response.status, 0, len(response.body))
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Source: ASGI 3, HTTP connection scope."""
        if scope["type"] != "http":
            return
        response = await self._answer(scope, receive)
        await response(scope, receive, send)
        if isinstance(response, JsonResponse):
            self._record(scope, response.status, len(response.body))
        elif isinstance(response, EventStream):
            self._record(scope, response.status, response.sent_bytes)

    def _record(self, scope: Scope, status: int, response_bytes: int) -> None:
        length = find_header(scope, b"content-length")
        request_bytes = int(length) if length.isdigit() else 0
        self._metrics.record_response(status, request_bytes, response_bytes)

    async def _answer(self, scope: Scope, receive: Receive) -> ASGIApp:
        refusal = self._auth.refusal(scope)
        if refusal is not None:
            from cogworks.server import docs_gate

            return docs_gate.refuse(scope, refusal)
        methods = self._endpoints.get(scope["path"]) or self._find_with_id(scope)
        if methods is None:
            return error_response(404, f"Not found: {scope['path'][:200]}")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = methods.get(method)
        if endpoint is None:
            allowed = ", ".join([*methods, *(["HEAD"] if "GET" in methods else [])])
            return error_response(405, f"{method[:20]} is not allowed here", {"Allow": allowed})
        try:
            return await endpoint(scope, receive)
        except Exception as error:
            return answer_any_error(error, scope)

    def _find_with_id(self, scope: Scope) -> dict[str, Endpoint] | None:
        """Find ``/predictions/{id}`` and what is below it; the id is left in the scope.

        A slash in an id (``%2F``) must not look like the next part of the path.
        """
        parts = [unquote(part) for part in scope["raw_path"].decode("latin-1").split("/")]
        if len(parts) not in (3, 4):
            return None
        scope["prediction_id"] = parts[2]
        return self._with_id.get("/".join(["", parts[1], "{id}", *parts[3:]]))
