"""Predictions that are asked for in the plainest way, as nearly all are: no task waits for their ends.

A small JSON body that is there to its end, for a prediction without an id whose client waits for it.
Everything else, mistakes included, is left to the routes, so that it is decided there and only there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from cogworks.errors import CogworksError
from cogworks.server.patience import Patience
from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.requests import LARGE_BYTES, is_upload, read_json_request
from cogworks.server.responses import JsonResponse
from cogworks.server.run import Run
from cogworks.server.service import PredictionService

if TYPE_CHECKING:
    from starlette.types import Scope

    from cogworks.server.http.exchange import Exchange

AnswerError = Callable[[Exception, "Scope"], JsonResponse]


class PlainRequests:
    """Begins predictions and answers their clients; ``answer_error`` has the words for refusals."""

    def __init__(
        self,
        service: PredictionService,
        patience: Patience,
        answer_error: AnswerError,
        max_body_bytes: int,
    ) -> None:
        """Serve ``service``; ``patience`` notices clients that go away."""
        self._service = service
        self._patience = patience
        self._answer_error = answer_error
        self._most_bytes = min(max_body_bytes, LARGE_BYTES - 1)

    def begin(self, exchange: Exchange, record: Callable[[int, int, int], None]) -> bool:
        """Begin the prediction; return False if the request is not plain, and leave it as it was.

        Args:
            record: is told the status, and the sizes of the bodies of request and answer, in bytes.
        """
        body = exchange.peek_body(self._most_bytes)
        request = None if body is None else _read_plain(exchange, body)
        if body is None or request is None:
            return False
        exchange.forget_body()
        try:
            run = self._service.submit(request)
        except Exception as error:
            response = self._answer_error(error, exchange.scope)
            exchange.answer(response.status, response.head, response.body)
            record(response.status, len(body), len(response.body))
            return True
        run.is_answered = True
        self._patience.begin(run, exchange.receive)
        run.call_at_end(partial(self._answer, run, exchange, partial(record, 200, len(body))))
        return True

    def _answer(self, run: Run, exchange: Exchange, record: Callable[[int], None]) -> None:
        self._patience.end(run)
        response = JsonResponse(run.body())
        exchange.answer(response.status, response.head, response.body)
        record(len(response.body))


def _read_plain(exchange: Exchange, body: bytes) -> PredictionRequest | None:
    """Return what is asked for; None where that is for the routes to read."""
    if is_upload(exchange.scope):
        return None
    try:
        request = read_json_request(exchange.scope, body)
    except CogworksError:
        return None
    is_plain = request.id is None and not (request.is_async or request.is_streamed)
    return request if is_plain else None
