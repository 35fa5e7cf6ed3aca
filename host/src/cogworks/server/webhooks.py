"""Webhooks: clients are told of their predictions at a URL of theirs, in order, whatever it is like.

Each prediction has a channel of its own, with at most three messages that wait. Deliveries hold
nothing up: observers only take notes, and one task per channel sends while there is something to
send. ``Webhooks`` owns them all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cogworks.server.predictions import Event, Prediction
from cogworks.server.run import Run
from cogworks.server.signature import parse_secrets
from cogworks.server.webhook_channel import Channel, Failure, Patience, Target, Undelivered
from cogworks.server.webhook_lanes import Lanes
from cogworks.server.webhook_outbox import Outbox

if TYPE_CHECKING:
    import httpx2

    from cogworks.server.spans import Spans
    from cogworks.server.webhook_sender import Sender

MOST_URL_CHARACTERS = 65_536
"""How long the URL of a webhook may be. Source: upstream."""

MOST_WAITING = 10_000
"""Predictions that are over while messages of theirs wait; then the oldest is given up."""

MOST_WAITING_BYTES = 256 * 1024 * 1024
"""How large the bodies of those may be together; then too. A single one may be larger."""

logger = logging.getLogger(__name__)

__all__ = ["Patience", "Undelivered", "Webhooks", "validate_webhook"]


def validate_webhook(url: str) -> str | None:
    """Return what is wrong with the URL of a webhook, or None."""
    if len(url) > MOST_URL_CHARACTERS:
        return f"must be at most {MOST_URL_CHARACTERS} characters long"
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_complete = is_complete and (parts.port is None or parts.port > 0)
    except ValueError:
        return "must be an http or https URL"
    if not is_complete or not url.isprintable() or " " in url:
        return "must be an http or https URL"
    return None


class Webhooks:
    """Tells receivers of predictions.

    Non-terminal messages are tried once; the end of a prediction is tried until it is taken or
    ``patience`` is used up, and then only logged and counted by ``on_failure``. An answer that got
    lost leads to a second delivery, with the same ``webhook-id``.
    """

    def __init__(
        self,
        *,
        interval_s: float,
        auth_token: str | None,
        secret: str | None,
        user_agent: str,
        client: httpx2.AsyncClient | None = None,
        on_failure: Callable[[], None] = lambda: None,
        on_told: Callable[[str], None] = lambda prediction_id: None,
        patience: Patience | None = None,
        spans: Spans | None = None,
    ) -> None:
        """Prepare; without a ``client``, which remains its owner's, one is made when it is needed.

        Args:
            interval_s: between two updates of one prediction.
            secret: base64, see ``signature``; None for messages without signature.
            spans: trace each attempt, where there are any.

        Raises:
            SecretError: the secret cannot be used.
        """
        self._interval_s = interval_s
        self._auth_token = auth_token
        self._keys = parse_secrets(secret) if secret else ()
        self._user_agent = user_agent
        self._client = client
        self._owns_client = client is None
        self._on_failure = on_failure
        self._on_told = on_told
        self._patience = patience or Patience()
        self._spans = spans
        self._sender: Sender | None = None
        self._opening = asyncio.Lock()
        self._lanes = Lanes()
        self._tasks: dict[Channel, asyncio.Task[None]] = {}
        self._over: dict[Channel, int] = {}
        self._over_bytes = 0
        self._is_draining = False
        self._is_closed = False

    def attach(self, run: Run, url: str, events: frozenset[str]) -> None:
        """Tell ``url``, which must be valid, of the ``events`` of a run that has had none yet."""
        outbox = Outbox(run, events, self._interval_s)
        channel = self._new_channel(Target(run.id, url, dict(run.trace)), outbox)

        def observe(_: Prediction, event: Event) -> None:
            self._observe(channel, event)

        run.observers.append(observe)

    def send_terminal(
        self, prediction_id: str, url: str, body: bytes, trace: Mapping[str, str]
    ) -> None:
        """Send the end of a prediction that an earlier server could not deliver."""
        target = Target(prediction_id, url, dict(trace))
        channel = self._new_channel(target, Outbox.of_end(body))
        self._begin(channel)
        self._keep(channel)

    async def drain(self, deadline_s: float) -> list[Undelivered]:
        """Deliver what waits, once predictions are over; return the ends that could not be delivered.

        Nothing waits for its interval any more, and what failed is tried at once and then as ever.
        After the deadline deliveries are ended; one of them may have arrived nevertheless.
        """
        self._is_draining = True
        for channel in self._tasks:
            channel.hurry()
        try:
            async with asyncio.timeout(deadline_s):
                while self._tasks:
                    await asyncio.wait(tuple(self._tasks.values()))
        except TimeoutError:
            pass
        waiting = [channel.undelivered for channel in self._tasks]
        await self._end_tasks()
        return [item for item in waiting if item is not None]

    async def close(self) -> None:
        """End everything; what was not delivered until now is lost, unless ``drain`` returned it."""
        self._is_closed = True
        await self._end_tasks()
        if self._owns_client and self._client is not None:
            await self._client.aclose()
            self._client = None

    # -- channels and their tasks -------------------------------------------------------------

    def _new_channel(self, target: Target, outbox: Outbox) -> Channel:
        return Channel(target, outbox, self._post, self._patience, self._on_failure)

    def _observe(self, channel: Channel, event: Event) -> None:
        """Note an event; must be quick, as models may produce thousands a second."""
        if self._is_closed:
            return
        channel.outbox.handle(event)
        if channel in self._tasks:
            if channel.outbox.is_over:
                channel.wake()
                self._keep(channel)
        elif not channel.outbox.is_empty:
            self._begin(channel)
            if channel.outbox.is_over:
                self._keep(channel)

    def _begin(self, channel: Channel) -> None:
        if self._is_draining:
            channel.hurry()
        task = asyncio.get_running_loop().create_task(self._work(channel))
        self._tasks[channel] = task

    async def _work(self, channel: Channel) -> None:
        try:
            await channel.work()
            if channel.has_told_end:
                self._on_told(channel.target.prediction_id)
        except Exception:
            logger.exception("webhook failed prediction=%s", channel.target.prediction_id)
            self._on_failure()
        finally:
            self._forget(channel)

    def _keep(self, channel: Channel) -> None:
        """Count a channel whose prediction is over; make room for it at the cost of the oldest.

        Those of a receiver that works leave quickly, so the oldest has one that does not.
        """
        self._over[channel] = channel.outbox.size_bytes
        self._over_bytes += channel.outbox.size_bytes
        while len(self._over) > 1 and self._is_over_limit():
            oldest = next(iter(self._over))
            oldest.give_up(
                f"more than {MOST_WAITING} predictions or {MOST_WAITING_BYTES} bytes wait"
            )
            self._tasks[oldest].cancel()
            self._forget(oldest)

    def _is_over_limit(self) -> bool:
        return len(self._over) > MOST_WAITING or self._over_bytes > MOST_WAITING_BYTES

    def _forget(self, channel: Channel) -> None:
        self._tasks.pop(channel, None)
        self._over_bytes -= self._over.pop(channel, 0)

    async def _end_tasks(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in list(self._tasks):  # A task that never began cannot forget its channel.
            self._forget(channel)

    # -- one attempt --------------------------------------------------------------------------

    async def _post(self, target: Target, body: bytes) -> Failure | None:
        sender = self._sender or await self._open_sender()
        async with self._lanes.place(target.origin):
            if self._spans is None:
                return await sender.post(target, body)
            return await _post_traced(self._spans, sender, target, body)

    async def _open_sender(self) -> Sender:
        async with self._opening:
            if self._sender is None:
                self._sender = await asyncio.to_thread(self._new_sender)
            return self._sender

    def _new_sender(self) -> Sender:
        # Imported here, and in a thread: it takes a while, and most servers send no webhook at all.
        from cogworks.server.webhook_sender import Sender, new_client

        if self._client is None:
            self._client = new_client()
        return Sender(
            self._client,
            user_agent=self._user_agent,
            auth_token=self._auth_token,
            keys=self._keys,
            timeout_s=self._patience.timeout_s,
        )


async def _post_traced(spans: Spans, sender: Sender, target: Target, body: bytes) -> Failure | None:
    """Make one attempt with a span of its own, which the receiver is told of."""
    with spans.request("POST", target.url, target.trace, target.prediction_id) as span:
        failure = await sender.post(replace(target, trace=span.headers), body)
        if failure is not None:
            span.fail(failure.reason, "webhook_failed")
        return failure
