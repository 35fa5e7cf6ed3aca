"""The endpoints: each reads a request, asks the service, and writes an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from cogworks import _version
from cogworks.errors import CogworksError
from cogworks.server import health
from cogworks.server.errors import AtCapacityError, InvalidInputError, NotReadyError, StoppingError
from cogworks.server.patience import Patience
from cogworks.server.requests import BadFieldsError, BadRequestError, read_prediction_request
from cogworks.server.responses import JsonResponse, detail_response, error_response
from cogworks.server.service import PredictionService
from cogworks.server.settings import Settings

CLIENT_CLOSED_REQUEST = 499
"""Nobody reads the answer; the status is for the access log. Source: nginx."""

INDEX = {
    "cog_version": _version.__version__,
    "openapi_url": "/openapi.json",
    "shutdown_url": "/shutdown",
    "healthcheck_url": "/health-check",
    "predictions_url": "/predictions",
    "livez_url": "/livez",
    "readyz_url": "/readyz",
}

Endpoint = Callable[[Scope, Receive], Awaitable[JsonResponse]]


class Routes:
    """The endpoints of one server."""

    def __init__(
        self, service: PredictionService, settings: Settings, shut_down: Callable[[], None]
    ) -> None:
        """Serve ``service``; ``shut_down`` begins the end of the server."""
        self._service = service
        self._settings = settings
        self._shut_down = shut_down
        self._patience = Patience(on_left=lambda run: service.cancel(run))

    def table(self) -> list[tuple[str, str, Endpoint]]:
        """Return method, path and endpoint of each route."""
        return [
            ("GET", "/", self.index),
            ("GET", "/health-check", self.health_check),
            ("GET", "/livez", self.livez),
            ("GET", "/readyz", self.readyz),
            ("GET", "/openapi.json", self.openapi),
            ("POST", "/predictions", self.predict),
            ("POST", "/shutdown", self.shutdown),
        ]

    async def index(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Say where everything is."""
        return JsonResponse(INDEX)

    async def health_check(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Report the state; the status is always 200, as clients of Cog expect."""
        return JsonResponse(health.report(self._service))

    async def livez(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer 200 while the process can."""
        return JsonResponse({"status": "ok"})

    async def readyz(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer 200 if predictions may come (a full server is ready), else 503 with the reason."""
        status = health.status(self._service)
        if status in ("READY", "BUSY"):
            return JsonResponse({"status": status})
        return JsonResponse(
            {"status": status, "error": health.reason_not_ready(self._service)}, 503
        )

    async def openapi(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Return the model's OpenAPI document."""
        if self._service.document is None:
            return error_response(503, "OpenAPI schema not available")
        return JsonResponse(self._service.document)

    async def shutdown(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Begin to shut down; again does nothing more."""
        self._shut_down()
        return JsonResponse({})

    async def predict(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Run a prediction and answer with its result; a client that leaves cancels it."""
        limit_bytes = self._settings.max_body_bytes
        run = self._service.submit(await read_prediction_request(scope, receive, limit_bytes))
        self._patience.begin(run, receive)
        try:
            return JsonResponse(await run.wait())
        finally:
            self._patience.end(run)


def answer_error(error: Exception) -> JsonResponse:
    """Return the answer to an error of ours: the one table of classes and statuses."""
    match error:
        case InvalidInputError() | BadFieldsError():
            return detail_response(error.detail)
        case BadRequestError():
            return error_response(error.status, str(error))
        case AtCapacityError():
            return error_response(409, str(error))
        case NotReadyError() | StoppingError():
            return error_response(503, str(error), {"Retry-After": "1"})
        case ClientDisconnect():
            return error_response(CLIENT_CLOSED_REQUEST, "The client has left")
        case _:
            return error_response(500, "Internal server error")


HANDLED: tuple[Any, ...] = (CogworksError, ClientDisconnect)
"""The errors that ``answer_error`` knows; any other is a defect and is logged as one."""
