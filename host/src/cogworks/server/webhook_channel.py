"""The way to one receiver for one prediction: its messages one after the other, with patience."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from cogworks.server.webhook_outbox import Kind, Message, Outbox

MOST_DOUBLINGS = 10
"""The pause between two attempts grows to 1024 times the first. Source: upstream's 100 ms x 2^10."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """Where the messages of a prediction go; ``trace`` are the headers of the client's trace."""

    prediction_id: str
    url: str
    trace: Mapping[str, str]

    @property
    def origin(self) -> str:
        """Return the receiver without what may be secret in its URL: ``https://host:port``."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed; ``is_temporary`` if another one may succeed."""

    reason: str
    is_temporary: bool


@dataclass(frozen=True)
class Undelivered:
    """The end of a prediction that its receiver has not taken yet."""

    id: str
    url: str
    body: bytes
    trace: Mapping[str, str]


@dataclass(frozen=True)
class Patience:
    """How long and how often to try.

    ``tries`` are those for the end of a prediction (all else is tried once), with pauses of
    ``first_pause_s``, then twice that, and so on; ``timeout_s`` is for one attempt.
    """

    tries: int = 12
    first_pause_s: float = 0.1
    timeout_s: float = 30.0

    def pause_s(self, failures: int) -> float:
        """Return how long to wait after so many failed attempts."""
        return self.first_pause_s * float(2 ** min(failures - 1, MOST_DOUBLINGS))


class Post(Protocol):
    """The way out, over HTTP or whatever stands for it."""

    async def __call__(self, target: Target, body: bytes) -> Failure | None:
        """Make one attempt; return why it failed, or None."""
        ...


class Channel:
    """Sends what an outbox holds. ``on_failure`` is told of each message that is given up.

    ``has_told_end`` once the end was delivered, or given up after all tries.
    """

    def __init__(
        self,
        target: Target,
        outbox: Outbox,
        post: Post,
        patience: Patience,
        on_failure: Callable[[], None],
    ) -> None:
        """Begin idle."""
        self.target = target
        self.outbox = outbox
        self._post = post
        self._patience = patience
        self._on_failure = on_failure
        self._end: bytes | None = outbox.end
        self._woken = asyncio.Event()
        self._is_hurried = False
        self.has_told_end = False

    @property
    def undelivered(self) -> Undelivered | None:
        """Return the prediction's end while it is to be sent."""
        body = self._end or self.outbox.end
        if body is None:
            return None
        return Undelivered(self.target.prediction_id, self.target.url, body, self.target.trace)

    def wake(self) -> None:
        """Look again at what there is to send."""
        self._woken.set()

    def hurry(self) -> None:
        """Keep to no interval any more, and skip the pause after a failure once."""
        self.outbox.hurry()
        self._is_hurried = True
        self._woken.set()

    async def work(self) -> None:
        """Send until there is nothing left to send; to be called again after the next event."""
        clock = asyncio.get_running_loop().time
        while (wait_s := self.outbox.wait_s(clock())) is not None:
            if wait_s:
                await self._pause(wait_s)
            else:
                self._end = self.outbox.end
                await self._deliver(self.outbox.take(clock()))

    def give_up(self, reason: str) -> None:
        """Count and report what will not be sent."""
        self._report(Kind.END if self.undelivered else Kind.UPDATE, 0, reason)

    async def _deliver(self, message: Message) -> None:
        is_end = message.kind is Kind.END
        tries = self._patience.tries if is_end else 1
        for attempt in range(1, tries + 1):
            failure = await self._post(self.target, message.body)
            if failure is None:
                break
            if attempt == tries or not failure.is_temporary:
                self._report(message.kind, attempt, failure.reason)
                break
            await self._pause(self._patience.pause_s(attempt))
        if is_end:
            self._end = None
            self.has_told_end = True

    async def _pause(self, seconds: float) -> None:
        self._woken.clear()
        if not self._is_hurried:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
        self._is_hurried = False

    def _report(self, kind: Kind, tries: int, reason: str) -> None:
        logger.warning(
            "webhook not delivered prediction=%s kind=%s receiver=%s tries=%d: %s",
            self.target.prediction_id,
            kind.value,
            self.target.origin,
            tries,
            reason,
        )
        self._on_failure()
