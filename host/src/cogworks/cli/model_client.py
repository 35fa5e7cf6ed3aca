"""The HTTP API of a model in a container, as `cog run` uses it: wait until it is ready, ask for its document, predict.

Servers differ: this one, upstream's three, each in several versions. What they have in common is all that is needed, and
events are followed where the server has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from cogworks.cli.errors import ModelNotReady, PredictionRefused
from cogworks.cli.json_values import is_array, is_object
from cogworks.cli.outputs import Snapshot

POLL_S = 0.1
"""Between two questions about a server's health. Source: Cog."""
ANSWER_S = 5.0
"""For an answer that needs no model; a machine that is busy with the setup is slow."""
EVENTS = "text/event-stream"
READY = frozenset({"READY", "BUSY"})
FAILED = frozenset({"SETUP_FAILED", "DEFUNCT"})
UNHEALTHY = "UNHEALTHY"
OnItem = Callable[[int, Any], object]


@dataclass(frozen=True)
class Health:
    """What a server says of itself; an empty status if it says nothing."""

    status: str = ""
    reason: str = ""


class ModelClient:
    """A client of one server; `async with` closes its connections."""

    def __init__(self, address: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy that the user's variables name knows nothing of this machine's ports.
        self._http = httpx2.AsyncClient(
            base_url=f"http://{address}", headers=headers, trust_env=False, timeout=None
        )

    async def __aenter__(self) -> ModelClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def wait_ready(
        self, timeout_s: float, on_unhealthy: Callable[[str], object] = lambda reason: None
    ) -> None:
        """Wait until setup() is over; a model that says it is unhealthy may get well meanwhile.

        Args:
            on_unhealthy: is told why, each reason once.

        Raises:
            ModelNotReady: setup failed, or took longer.
        """
        health, told = Health(), set[str]()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    health = await self._health() or health
                    if health.status in READY:
                        return
                    if health.status in FAILED:
                        raise ModelNotReady(_why(health))
                    if health.status == UNHEALTHY and health.reason not in told:
                        told.add(health.reason)
                        on_unhealthy(health.reason)
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise ModelNotReady(_timed_out(timeout_s, health)) from None

    async def _health(self) -> Health | None:
        """Ask once; nobody answers while the server starts."""
        try:
            response = await self._http.get("/health-check", timeout=ANSWER_S)
            answer = response.json()
        except (httpx2.TransportError, ValueError):
            return None
        fields = answer if is_object(answer) else {}
        reason = fields.get("user_healthcheck_error") or fields.get("error") or ""
        return Health(str(fields.get("status", "")), str(reason))

    async def wait_listening(self, timeout_s: float) -> None:
        """Wait until the server answers at all, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    if await self._health() is not None:
                        return
                    await asyncio.sleep(POLL_S)

    async def document(self) -> dict[str, Any]:
        """Return the model's OpenAPI document.

        Raises:
            PredictionRefused: the server has none.
        """
        try:
            response = await self._http.get("/openapi.json", timeout=ANSWER_S)
            found = response.json() if response.status_code == 200 else None
        except (httpx2.TransportError, ValueError):
            found = None
        if not is_object(found):
            raise PredictionRefused("the model's server has no /openapi.json that can be read")
        return found

    async def predict(self, path: str, body: Mapping[str, Any], on_item: OnItem | None) -> Snapshot:
        """Run a prediction; return it when it is over.

        Args:
            path: `/predictions` or `/trainings`.
            on_item: is given the items of an iterator as they are yielded, where the server tells of them.

        Raises:
            PredictionRefused: the server does not take it.
        """
        if on_item is not None:
            answer = await self._stream(path, body, on_item)
            if answer is not None:
                return answer
        response = await self._http.post(path, json=dict(body))
        return _snapshot(path, response.status_code, response.content)

    async def _stream(self, path: str, body: Mapping[str, Any], on_item: OnItem) -> Snapshot | None:
        """Follow a prediction's events; return nothing if the server has none of this model's."""
        headers = {"Accept": f"{EVENTS}, application/json;q=0.5"}
        async with self._http.stream("POST", path, json=dict(body), headers=headers) as response:
            if response.status_code == 406:
                return None
            if not response.headers.get("content-type", "").startswith(EVENTS):
                return _snapshot(path, response.status_code, await response.aread())
            async for name, data in read_events(response.aiter_lines()):
                if name == "output":
                    on_item(int(data["index"]), data["chunk"])
                elif name == "completed":
                    return data
                elif name == "error":
                    raise PredictionRefused(f"the model's server lost events: {data.get('error')}")
        raise PredictionRefused("the model's server ended the prediction's events before its end")


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield (name, data) of server-sent events whose data is a JSON object.

    Source: HTML Living Standard, "Server-sent events".
    """
    name, data = "", list[str]()
    async for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line:
            if data:
                yield name, json.loads("\n".join(data))
            name, data = "", []


def _snapshot(path: str, status: int, content: bytes) -> Snapshot:
    try:
        answer: object = json.loads(content)
    except ValueError:
        answer = None
    fields = answer if is_object(answer) else {}
    if status == 200 and "status" in fields:
        return fields
    raise PredictionRefused(_refusal(path, status, fields, content))


def _refusal(path: str, status: int, fields: Mapping[str, Any], content: bytes) -> str:
    detail = fields.get("detail")
    if status == 422 and is_array(detail):
        lines = [_violation(one) for one in detail]
        return "The inputs do not fit the model:" + "".join(f"\n  - {line}" for line in lines)
    said = detail or fields.get("error") or content.decode("utf-8", "replace").strip()
    text = f": {str(said)[:300]}" if said else ""
    return f"The {path} call returned status {status}{text}"


def _violation(one: Any) -> str:
    """Return `field: message` of an entry such as `{"loc": ["body", "input", "scale"], "msg": ...}`."""
    if not is_object(one):
        return str(one)
    places = [str(part) for part in one.get("loc", []) if part not in ("body", "input")]
    message = str(one.get("msg", ""))
    field = ".".join(places)
    return f"{field}: {message}" if field and f'"{field}"' not in message else message


def _why(health: Health) -> str:
    more = f": {health.reason}" if health.reason else ""
    if health.status == "SETUP_FAILED":
        return f"Model setup failed{more}"
    return f"The model's server has given up ({health.status}){more}"


def _timed_out(timeout_s: float, health: Health) -> str:
    state = f"its server says {health.status}" if health.status else "its server did not answer"
    more = f" ({health.reason})" if health.reason else ""
    return (
        f"Timed out: the model was not ready within {timeout_s:g} s; {state}{more}. "
        "Allow it more time with --setup-timeout."
    )
