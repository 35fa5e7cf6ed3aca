"""The endpoints: each reads a request, asks the service, and writes an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from cogworks import _version
from cogworks.errors import CogworksError
from cogworks.server import health
from cogworks.server.errors import (
    AtCapacityError,
    ClientLeftError,
    ConflictError,
    DiskFullError,
    InvalidInputError,
    NotReadyError,
    NotStreamingError,
    QueueFullError,
    StoppingError,
)
from cogworks.server.event_log import EventLog, TooManySubscribersError
from cogworks.server.metrics import CONTENT_TYPE
from cogworks.server.patience import Patience
from cogworks.server.plain_requests import PlainRequests
from cogworks.server.preferences import accepts_events
from cogworks.server.requests import (
    LARGE_BYTES,
    BadFieldsError,
    BadRequestError,
    check_id,
    is_upload,
    read_body,
    read_json_request,
    read_page,
    with_id,
)
from cogworks.server.responses import JsonResponse, detail_response, error_response
from cogworks.server.run import Run
from cogworks.server.service import PredictionRequest, PredictionService
from cogworks.server.settings import Settings
from cogworks.server.sse import EventStream, read_last_event_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope

CLIENT_CLOSED_REQUEST = 499
"""Nobody reads the answer; the status is for the access log. Source: nginx."""

NOT_STREAMING = (
    "This model does not support streaming responses. "
    "Add @cog.streaming to predict() to enable SSE."
)
"""Upstream's words, which clients know."""

NO_DOCUMENT = "OpenAPI schema not available"
"""The same."""

RETRY = {"Retry-After": "1"}

logger = logging.getLogger(__name__)

Endpoint = Callable[["Scope", "Receive"], Awaitable["ASGIApp"]]


class Routes:
    """The endpoints of one server."""

    def __init__(
        self,
        service: PredictionService,
        settings: Settings,
        shut_down: Callable[[], None],
        mode: str = "run",
    ) -> None:
        """Serve ``service``; ``shut_down`` begins the end of the server."""
        self._service = service
        self._reporter = health.Reporter(service)
        self._settings = settings
        self._shut_down = shut_down
        self._kind = "training" if mode == "train" else "prediction"
        self._plural = f"{self._kind}s"
        self._described: tuple[dict[str, Any], bytes] | None = None
        self._patience = Patience(on_left=lambda run: service.cancel(run))

    def table(self) -> list[tuple[str, str, Endpoint]]:
        """Return method, path and endpoint of each route."""
        root = f"/{self._plural}"
        return [
            ("GET", "/", self.index),
            ("GET", "/health-check", self.health_check),
            ("GET", "/livez", self.livez),
            ("GET", "/readyz", self.readyz),
            ("GET", "/openapi.json", self.openapi),
            ("GET", "/docs", self.docs),
            ("GET", "/metrics", self.metrics),
            ("POST", root, self.predict),
            ("GET", root, self.list),
            ("PUT", f"{root}/{{id}}", self.predict_with_id),
            ("GET", f"{root}/{{id}}", self.find),
            ("DELETE", f"{root}/{{id}}", self.cancel),
            ("POST", f"{root}/{{id}}/cancel", self.cancel),
            ("PUT", f"{root}/{{id}}/cancel", self.cancel),
            ("POST", "/shutdown", self.shutdown),
        ]

    def probes(self) -> dict[str, Callable[[], JsonResponse | None]]:
        """Return what answers probes by path without waiting; None where it has to wait."""
        return {"/health-check": self._health_check_nowait, "/livez": self._livez_nowait}

    def plain_requests(self) -> tuple[str, PlainRequests]:
        """Return where predictions are asked for, and what begins those that need no task."""
        limit_bytes = self._settings.max_body_bytes
        return f"/{self._plural}", PlainRequests(
            self._service, self._patience, answer_any_error, limit_bytes
        )

    async def index(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Say where everything is."""
        return JsonResponse(
            {
                "cog_version": _version.__version__,
                "docs_url": "/docs",
                "openapi_url": "/openapi.json",
                "shutdown_url": "/shutdown",
                "healthcheck_url": "/health-check",
                f"{self._plural}_url": f"/{self._plural}",
                f"{self._plural}_idempotent_url": f"/{self._plural}/{{{self._kind}_id}}",
                f"{self._plural}_cancel_url": f"/{self._plural}/{{{self._kind}_id}}/cancel",
                "livez_url": "/livez",
                "readyz_url": "/readyz",
                "metrics_url": "/metrics",
            }
        )

    async def health_check(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Report the state; the status is always 200, as clients of Cog expect."""
        return JsonResponse(health.report(self._service, await health.find_problem(self._service)))

    async def livez(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer 200 while this server can be of use, else 503: only a new one helps."""
        return self._livez_nowait()

    def _health_check_nowait(self) -> JsonResponse | None:
        if health.has_check(self._service):
            return None
        return JsonResponse(self._reporter.body())

    def _livez_nowait(self) -> JsonResponse:
        if health.is_defunct(self._service):
            reason = health.reason_not_ready(self._service)
            return JsonResponse({"status": "DEFUNCT", "error": reason}, 503)
        return JsonResponse({"status": "ok"})

    async def readyz(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer 200 if predictions may come (a full server is ready), else 503 with the reason."""
        status = health.status(self._service)
        problem = await health.find_problem(self._service)
        if problem is not None:
            return JsonResponse({"status": "UNHEALTHY", "error": problem}, 503)
        if status in ("READY", "BUSY"):
            return JsonResponse({"status": status})
        reason = health.reason_not_ready(self._service)
        return JsonResponse({"status": status, "error": reason}, 503)

    async def openapi(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Return the model's OpenAPI document."""
        from cogworks.server.api_document import describe_api

        own = self._service.document
        if own is None:
            return error_response(503, NO_DOCUMENT, RETRY)
        if self._described is None or self._described[0] is not own:
            needs_token = self._settings.api_token is not None
            mode = "train" if self._kind == "training" else "run"
            whole = describe_api(own, mode, needs_token=needs_token)
            self._described = own, msgspec.json.encode(whole)
        return JsonResponse(self._described[1])

    async def docs(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer with a page for people: what the model takes, and a form to try it."""
        from cogworks.server import docs_page

        if self._service.document is None:
            return error_response(503, NO_DOCUMENT, RETRY)
        needs_token = self._settings.api_token is not None
        mode = "train" if self._kind == "training" else "run"
        page = docs_page.render(self._service.document, mode, needs_token=needs_token)
        return JsonResponse(page, 200, docs_page.HEADERS, docs_page.CONTENT_TYPE.encode())

    async def metrics(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer with what is measured of the server, as Prometheus reads it."""
        text = await asyncio.to_thread(self._service.render_metrics())
        return JsonResponse(text, content_type=CONTENT_TYPE.encode())

    async def shutdown(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Begin to shut down; again does nothing more."""
        self._shut_down()
        return JsonResponse({})

    async def predict(self, scope: Scope, receive: Receive) -> ASGIApp:
        """Run a prediction: answer with its result, or at once where the client prefers that."""
        self._check_accept(scope)
        if is_upload(scope):
            return await self._predict_files(scope, receive)
        return await self._predict_json(scope, receive)

    async def predict_with_id(self, scope: Scope, receive: Receive) -> ASGIApp:
        """Run the prediction that the URL names, once: again, it answers with what there is."""
        check_id(scope["prediction_id"])
        self._check_accept(scope)
        if is_upload(scope):
            return await self._predict_files(scope, receive, scope["prediction_id"])
        return await self._predict_json(scope, receive, scope["prediction_id"])

    async def find(self, scope: Scope, receive: Receive) -> ASGIApp:
        """Answer with a prediction as it is now, or with its events."""
        check_id(scope["prediction_id"])
        run = self._service.find_run(scope["prediction_id"])
        if accepts_events(scope) and run is not None and run.event_log is not None:
            return self._follow(run, run.event_log, scope)
        body = await self._service.find_body(scope["prediction_id"])
        if body is None:
            return self._unknown(scope)
        if accepts_events(scope):
            return EventStream(EventLog.finished(body).subscribe())
        return JsonResponse(body)

    async def list(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Answer with a page of predictions, those in flight first, and where the next one is."""
        limit, cursor = read_page(scope)
        try:
            bodies, following = await self._service.list_bodies(limit, cursor)
        except ValueError as error:
            raise BadRequestError(400, "The cursor is none of this server's") from error
        url = None if following is None else f"/{self._plural}?limit={limit}&cursor={following}"
        results = [msgspec.Raw(body) for body in bodies]
        return JsonResponse({"results": results, "next": url})

    async def cancel(self, scope: Scope, receive: Receive) -> JsonResponse:
        """Ask for the end of a prediction; one that is over is left as it is."""
        check_id(scope["prediction_id"])
        run = self._service.find_run(scope["prediction_id"])
        if run is not None:
            self._service.cancel(run)
            return JsonResponse({})
        body = await self._service.find_body(scope["prediction_id"])
        return JsonResponse({}, 404) if body is None else JsonResponse({})

    def _check_accept(self, scope: Scope) -> None:
        if not accepts_events(scope):
            return
        if self._kind == "training":
            raise NotStreamingError("Training endpoints do not support streaming responses.")
        if not self._service.is_streaming():
            raise NotStreamingError(NOT_STREAMING)

    def _follow(self, run: Run, log: EventLog, scope: Scope) -> EventStream:
        subscription = log.subscribe(read_last_event_id(scope))
        return EventStream(subscription, on_leave=lambda: self._service.leave(run))

    async def _answer(self, request: PredictionRequest, scope: Scope, receive: Receive) -> ASGIApp:
        found = await self._service.find_or_submit(request)
        if not isinstance(found, Run):
            if request.is_streamed:
                return EventStream(EventLog.finished(found.body).subscribe())
            return JsonResponse(found.body)
        if request.is_streamed and found.event_log is not None:
            found.is_answered = True
            return self._follow(found, found.event_log, scope)
        if found.accepted is not None and request.is_async and not found.is_answered:
            found.is_answered = True
            return JsonResponse(found.accepted, 202, {"Preference-Applied": "respond-async"})
        if found.is_answered:
            return JsonResponse(found.body(), 202)
        found.is_answered = True
        self._patience.begin(found, receive)
        try:
            await found.wait_end()
        finally:
            self._patience.end(found)
        return JsonResponse(found.body())

    async def _predict_json(
        self, scope: Scope, receive: Receive, prediction_id: str | None = None
    ) -> ASGIApp:
        body = await read_body(scope, receive, self._settings.max_body_bytes)
        if len(body) >= LARGE_BYTES and self._service.takes_files_apart:
            return await self._predict_large(scope, receive, body, prediction_id)
        request = read_json_request(scope, body)
        if prediction_id is not None:
            request = with_id(request, prediction_id, self._kind)
        return await self._answer(request, scope, receive)

    async def _predict_large(
        self, scope: Scope, receive: Receive, body: bytes, prediction_id: str | None
    ) -> ASGIApp:
        """Run a prediction whose files are in its JSON."""
        from cogworks.server.large_requests import read_large_request

        files = self._service.uploads.open()
        try:
            request = await read_large_request(scope, body, self._service.form, files)
            if request is None:
                request = read_json_request(scope, body)
            if prediction_id is not None:
                request = with_id(request, prediction_id, self._kind)
            return await self._answer(request, scope, receive)
        finally:
            if not files.is_taken:
                self._service.uploads.discard(files)

    async def _predict_files(
        self, scope: Scope, receive: Receive, prediction_id: str | None = None
    ) -> ASGIApp:
        """Run a prediction whose files are in the request; they end with it, or with a refusal."""
        from cogworks.server.upload_requests import read_upload_request

        form = self._service.form
        files = self._service.uploads.open()
        try:
            limit_bytes = self._settings.max_upload_bytes
            request = await read_upload_request(scope, receive, form, files, limit_bytes)
            if prediction_id is not None:
                request = with_id(request, prediction_id, self._kind)
            return await self._answer(request, scope, receive)
        finally:
            if not files.is_taken:
                self._service.uploads.discard(files)

    def _unknown(self, scope: Scope) -> JsonResponse:
        return error_response(404, f"No {self._kind} has the id {scope['prediction_id']}")


def answer_any_error(error: Exception, scope: Scope) -> JsonResponse:
    """Return the answer to an error; one that is not of ours is a defect, and is logged as such."""
    if not isinstance(error, CogworksError):
        logger.error("request failed: %s %s", scope["method"], scope["path"], exc_info=error)
    return answer_error(error)


def answer_error(error: Exception) -> JsonResponse:
    """Return the answer to an error of ours: the one table of classes and statuses."""
    match error:
        case InvalidInputError() | BadFieldsError():
            return detail_response(error.detail)
        case BadRequestError():
            return error_response(error.status, str(error))
        case AtCapacityError() | ConflictError():
            return error_response(409, str(error))
        case QueueFullError():
            return error_response(429, str(error), RETRY)
        case NotStreamingError():
            return error_response(406, str(error))
        case TooManySubscribersError():
            return error_response(429, str(error), RETRY)
        case NotReadyError() | StoppingError():
            return error_response(503, str(error), RETRY)
        case DiskFullError():
            return error_response(507, str(error))
        case ClientLeftError():
            return error_response(CLIENT_CLOSED_REQUEST, str(error))
        case _:
            return error_response(500, "Internal server error")
