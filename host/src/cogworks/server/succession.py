"""Work that outlives a server: what the store is told of each run, and what the next server does with it.

What waited runs, in order, as if nothing had happened; what ran has failed, or runs again where the
operator wants that. Ends that could not be told are told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import msgspec

from cogworks.server.dispatch import Dispatcher
from cogworks.server.errors import InvalidInputError
from cogworks.server.handover import (
    HAS_CLIENT,
    HAS_SECRETS,
    Handover,
    read_handover,
    read_receiver,
    why_not_again,
)
from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.predictions import Event, Prediction, Started, Status, parse_iso_time
from cogworks.server.run import Run
from cogworks.server.store import Record, Store
from cogworks.server.validation import InputSchema
from cogworks.server.webhooks import MOST_WAITING, MOST_WAITING_BYTES, Webhooks

logger = logging.getLogger(__name__)


class Succession:
    """Keeps runs in a store, and goes on with those that an earlier server left there."""

    def __init__(
        self, store: Store, dispatcher: Dispatcher, webhooks: Webhooks | None, *, retry_lost: bool
    ) -> None:
        """Begin with nothing; ``retry_lost`` runs again what was running when a server ended."""
        self._store = store
        self._dispatcher = dispatcher
        self._webhooks = webhooks
        self._retry_lost = retry_lost
        self._unchecked: list[Run] = []

    # -- for the next server ------------------------------------------------------------------

    def keep(self, run: Run) -> None:
        """Have the store keep a run as it is now."""
        prediction, handover = run.prediction, run.handover
        is_over = prediction.is_terminal
        record = Record(
            id=run.id,
            status=prediction.status.value,
            created_at=prediction.created_at,
            completed_at=prediction.completed_at,
            body=run.body(),
            digest=run.digest,
            request=None if is_over or handover is None else handover.encode(),
            webhook=None if not is_over or handover is None else handover.encode_receiver(),
        )
        self._store.put(record)

    def remember(self, run: Run, request: PredictionRequest, *, has_secrets: bool) -> None:
        """Have a next server know what was asked for; to be called before the run begins."""
        handover = Handover(run.values, request.context, request.webhook, request.events, run.trace)
        if not request.is_async:
            handover.hinder(HAS_CLIENT)
        elif request.obstacle is not None:
            handover.hinder(request.obstacle)
        elif has_secrets:
            handover.hinder(HAS_SECRETS)
        self._follow(run, handover)

    def leave(self, runs: Iterable[Run]) -> None:
        """Leave to the next server what it can run, as it stands in the store."""
        for run in runs:
            has_begun = run.worker is not None
            if why_not_again(run.handover, has_begun=has_begun, retry_lost=True) is not None:
                continue
            if self._dispatcher.let_go(run):
                logger.info("left to the next server prediction=%s", run.id)
                if run.event_log is not None:
                    run.event_log.cut()

    def _follow(self, run: Run, handover: Handover) -> None:
        """Have the store know when a worker has the run."""
        run.handover = handover

        def note(_: Prediction, event: Event) -> None:
            if isinstance(event, Started):
                handover.begun += 1
                self.keep(run)

        run.observers.append(note)

    # -- from the last server -----------------------------------------------------------------

    async def tell_ends(self) -> None:
        """Send the webhooks that an earlier server could not deliver."""
        if self._webhooks is None:
            return
        for record in await self._store.untold(MOST_WAITING, MOST_WAITING_BYTES):
            receiver = read_receiver(record.webhook)
            if receiver is not None:
                self._webhooks.send_terminal(record.id, receiver.url, record.body, receiver.trace)

    def take_over(
        self, record: Record, run_id: str, adopt: Callable[[Run, PredictionRequest], None]
    ) -> None:
        """Go on with a prediction that an earlier server did not end, or fail it with the reason.

        Args:
            adopt: is given the run before anything happens to it, so that everybody can watch.
        """
        handover = read_handover(record.request)
        seen = msgspec.json.decode(record.body)
        run = Run(Prediction(record.id, seen.get("input", {}), record.created_at), run_id, {})
        run.digest = record.digest
        request = PredictionRequest(is_async=True)
        if handover is not None:
            run.prediction.context = handover.context
            run.values, run.trace = handover.input, handover.trace
            request = PredictionRequest(
                is_async=True, webhook=handover.webhook, events=handover.events
            )
        adopt(run, request)
        if handover is not None:
            self._follow(run, handover)
        has_begun = record.status != Status.STARTING
        reason = why_not_again(handover, has_begun=has_begun, retry_lost=self._retry_lost)
        if reason is None:
            self._unchecked.append(run)
            self._dispatcher.wait(run)
        else:
            run.prediction.started_at = parse_iso_time(seen.get("started_at"))
            self._dispatcher.fail(run, reason)

    def check(self, schema: InputSchema) -> None:
        """Fail what does not fit the model any more, as soon as its schema is known."""
        unchecked, self._unchecked = self._unchecked, []
        for run in unchecked:
            if run.prediction.is_terminal:
                continue
            run.values, _ = schema.split_unknown(run.values)
            problems = schema.problems(run.values)
            if problems:
                reason = "the model has changed while this prediction waited"
                self._dispatcher.fail(run, f"{reason}: {InvalidInputError(problems)}")
                continue
            run.prediction.input = schema.redact(run.values)
            if run.handover is not None and schema.has_secrets(run.values):
                run.handover.hinder(HAS_SECRETS)
