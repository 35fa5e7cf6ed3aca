"""The endpoints: each reads a request, asks the service, and writes an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cogworks import _version
from cogworks.errors import CogworksError
from cogworks.server import health
from cogworks.server.errors import AtCapacityError, InvalidInputError, NotReadyError, StoppingError
from cogworks.server.requests import BadFieldsError, BadRequestError, read_prediction_request
from cogworks.server.responses import detail_response, error_response, json_response
from cogworks.server.run import Run
from cogworks.server.service import PredictionService
from cogworks.server.settings import Settings

WATCH_AFTER_S = 0.02
"""A client is watched for having gone only once its prediction takes longer than this."""

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

Endpoint = Callable[[Request], Awaitable[Response]]


class Routes:
    """The endpoints of one server."""

    def __init__(
        self, service: PredictionService, settings: Settings, shut_down: Callable[[], None]
    ) -> None:
        """Serve ``service``; ``shut_down`` begins the end of the server."""
        self._service = service
        self._settings = settings
        self._shut_down = shut_down

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

    async def index(self, request: Request) -> Response:
        """Say where everything is."""
        return json_response(INDEX)

    async def health_check(self, request: Request) -> Response:
        """Report the state; the status is always 200, as clients of Cog expect."""
        return json_response(health.report(self._service))

    async def livez(self, request: Request) -> Response:
        """Answer 200 while the process can."""
        return json_response({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Answer 200 if predictions may come (a full server is ready), else 503 with the reason."""
        status = health.status(self._service)
        if status in ("READY", "BUSY"):
            return json_response({"status": status})
        return json_response({"status": status, "error": health.reason_not_ready(self._service)}, 503)

    async def openapi(self, request: Request) -> Response:
        """Return the model's OpenAPI document."""
        if self._service.document is None:
            return error_response(503, "OpenAPI schema not available")
        return json_response(self._service.document)

    async def shutdown(self, request: Request) -> Response:
        """Begin to shut down; again does nothing more."""
        self._shut_down()
        return json_response({})

    async def predict(self, request: Request) -> Response:
        """Run a prediction and answer with its result; a client that leaves cancels it."""
        prediction_request = await read_prediction_request(request, self._settings.max_body_bytes)
        run = self._service.submit(prediction_request)
        if await self._wait_connected(run, request):
            return json_response(run.prediction.snapshot())
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def _wait_connected(self, run: Run, request: Request) -> bool:
        """Wait for the end of a prediction; False if the client left before it."""
        if await run.wait_within(WATCH_AFTER_S):
            return True
        finished = asyncio.ensure_future(run.wait())
        left = asyncio.ensure_future(_wait_disconnect(request))
        try:
            await asyncio.wait((finished, left), return_when=asyncio.FIRST_COMPLETED)
            if not run.prediction.is_terminal:
                self._service.cancel(run)
                return False
            return True
        finally:
            finished.cancel()
            left.cancel()


async def _wait_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer_error(error: Exception) -> Response:
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
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        case _:
            return error_response(500, "Internal server error")


HANDLED: tuple[Any, ...] = (CogworksError, ClientDisconnect)
"""The errors that ``answer_error`` knows; any other is a defect and is logged as one."""
