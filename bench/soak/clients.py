"""What clients do: wait, poll, follow, cancel, come twice, hang up."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

from bench.soak.http import Answer, Client
from bench.soak.ledger import TERMINAL, Ledger, Order

HANG_S = 20.0
"""A single exchange, or the way of a prediction to its end, that takes longer hangs."""

POLL_S = 0.02
REFUSED_S = 0.05
"""Pause of a client that was told to come again later."""

EVENTS = {"Accept": "text/event-stream"}
ASYNC = {"Prefer": "respond-async"}


class Crowd:
    """Clients of one server that share its ledger."""

    def __init__(
        self, name: str, client: Client, ledger: Ledger, *, may_refuse: Callable[[], bool]
    ) -> None:
        """Begin; ``may_refuse`` tells whether a 503 is right at the moment."""
        self._name = name
        self._client = client
        self._ledger = ledger
        self._may_refuse = may_refuse
        self._numbers = itertools.count()
        self._ways: dict[str, Callable[[Order], Awaitable[None]]] = {
            "wait": self.wait,
            "poll": self.poll,
            "follow": self.follow,
            "cancel": self.cancel,
            "twice": self.come_twice,
            "hang up": self.hang_up,
            "leave stream": self.leave_stream,
        }

    async def run_one(self, until: float) -> None:
        """Be one client until the clock of the loop says ``until``."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            way = random.choice(tuple(self._ways))
            order = Order(
                f"{self._name}.{next(self._numbers)}",
                steps=random.randint(0, 8),
                pause=random.choice((0.0, 0.002, 0.02)),
                fail=random.random() < 0.1,
            )
            self._ledger.asked[way] += 1
            try:
                async with asyncio.timeout(3 * HANG_S):
                    await self._ways[way](order)
            except TimeoutError:
                self._ledger.report(f"{order.id}: {way}: hangs")
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                self._ledger.report(f"{order.id}: {way}: the connection broke: {error!r}")
                self._ledger.uncertain[order.id] = order

    async def wait(self, order: Order) -> None:
        """Wait for the answer."""
        answer = await self._ask("POST", "/predictions", order.body)
        if answer is not None:
            self._ledger.close(order, answer.data, may_cancel=False)
            await self._confirm(order, answer)

    async def poll(self, order: Order) -> None:
        """Do not wait; come back."""
        if await self._ask("POST", "/predictions", order.body, ASYNC, expected=202):
            await self._poll_end(order, may_cancel=False)

    async def cancel(self, order: Order) -> None:
        """Think better of it."""
        if await self._ask("POST", "/predictions", order.body, ASYNC, expected=202):
            await asyncio.sleep(random.uniform(0, 0.1))
            answer = await self._client.request("POST", f"/predictions/{order.id}/cancel")
            if answer.status != 200:
                self._ledger.report(f"{order.id}: the cancel got {answer.status}")
            await self._poll_end(order, may_cancel=True)

    async def come_twice(self, order: Order) -> None:
        """Ask for the same prediction by two connections at once."""
        path = f"/predictions/{order.id}"
        answers = await asyncio.gather(
            *(self._ask("PUT", path, order.body, expected=None) for _ in range(2))
        )
        if any(answer is not None for answer in answers):
            await self._poll_end(order, may_cancel=False)

    async def follow(self, order: Order) -> None:
        """Read the events to the end."""
        async with self._client.open("POST", "/predictions", order.body, EVENTS) as reply:
            if not await self._is_taken(order, reply.status):
                return
            events = [event async for event in reply.events()]
        self._check_events(order, events)
        if events and events[-1][0] == "completed":
            self._ledger.close(order, events[-1][1], may_cancel=False)
        await self._poll_end(order, may_cancel=False)

    async def hang_up(self, order: Order) -> None:
        """Leave while the prediction runs, or even before it began."""
        self._ledger.uncertain[order.id] = order
        try:
            async with asyncio.timeout(random.uniform(0.001, 0.15)):
                await self._client.request("POST", "/predictions", order.body)
        except TimeoutError:
            pass
        await self._poll_end(order, may_cancel=True, may_miss=True)

    async def leave_stream(self, order: Order) -> None:
        """Leave after some events."""
        async with self._client.open("POST", "/predictions", order.body, EVENTS) as reply:
            if not await self._is_taken(order, reply.status):
                return
            left = random.randint(1, 4)
            async for _ in reply.events():
                left -= 1
                if not left:
                    break
        await self._poll_end(order, may_cancel=True)

    async def settle(self) -> None:
        """Look once more at what nobody could be sure of; what is unknown now was never accepted."""
        for order in list(self._ledger.uncertain.values()):
            await self._poll_end(order, may_cancel=True, may_miss=True)
        self._ledger.uncertain.clear()

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str] | None = None,
        expected: int | None = 200,
    ) -> Answer | None:
        """Return an answer of the expected status (None: 200 or 202), nothing after a refusal."""
        async with asyncio.timeout(HANG_S):
            answer = await self._client.request(method, path, body, headers or {})
        if answer.status == expected or (expected is None and answer.status in (200, 202)):
            return answer
        await self._refused(body["id"], answer.status)
        return None

    async def _is_taken(self, order: Order, status: int) -> bool:
        if status == 200:
            return True
        await self._refused(order.id, status)
        return False

    async def _refused(self, prediction_id: str, status: int) -> None:
        self._ledger.refusals[status] += 1
        is_right = status == 429 or (status == 503 and self._may_refuse())
        if not is_right:
            self._ledger.report(f"{prediction_id}: refused with {status}")
        await asyncio.sleep(REFUSED_S)

    async def _poll_end(self, order: Order, *, may_cancel: bool, may_miss: bool = False) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HANG_S
        while loop.time() < deadline:
            answer = await self._client.request("GET", f"/predictions/{order.id}")
            if answer.status == 404 and may_miss:
                return
            if answer.status != 200:
                self._ledger.report(f"{order.id}: asked again, {answer.status}")
                return
            if answer.data["status"] in TERMINAL:
                self._ledger.close(order, answer.data, may_cancel=may_cancel)
                await self._confirm(order, answer)
                return
            await asyncio.sleep(POLL_S)
        self._ledger.report(f"{order.id}: has not ended after {HANG_S:g} s")

    async def _confirm(self, order: Order, first: Answer) -> None:
        """Ask once more: an end is for good."""
        again = await self._client.request("GET", f"/predictions/{order.id}")
        if again.status != 200 or again.body != first.body:
            self._ledger.report(
                f"{order.id}: ended as {first.body!r}, then {again.status} {again.body!r}"
            )

    def _check_events(self, order: Order, events: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in events]
        if names[:1] != ["start"] or names.count("completed") != 1 or names[-1] != "completed":
            self._ledger.report(f"{order.id}: events {names}")
            return
        chunks = [data["chunk"] for name, data in events if name == "output"]
        logs = "".join(data["data"] for name, data in events if name == "log")
        whole = events[-1][1]
        if chunks != (whole["output"] or []):
            self._ledger.report(f"{order.id}: followed {chunks}, got {whole['output']}")
        if logs != whole["logs"]:
            self._ledger.report(f"{order.id}: followed {logs!r}, got {whole['logs']!r}")
