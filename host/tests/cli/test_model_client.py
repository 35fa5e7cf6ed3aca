"""Servers of this format, as different as they are in the wild, seen through the client of `cog run IMAGE`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from cogworks.cli.errors import ModelNotReady, PredictionRefused
from cogworks.cli.model_client import ModelClient, read_events

from .model_server import Answer, ModelServer

DONE: dict[str, Any] = {"status": "succeeded", "output": ["a", "b"], "error": None, "metrics": {}}


def ignore(index: int, item: Any) -> None:
    pass


def ask(server: ModelServer, action: Callable[[ModelClient], Awaitable[Any]], **client: Any) -> Any:
    async def scene() -> Any:
        async with ModelClient(server.address, **client) as model:
            return await action(model)

    with server.running():
        return asyncio.run(scene())


@pytest.mark.parametrize("last", ["READY", "BUSY"])
def test_a_starting_model_is_waited_for(last: str) -> None:
    server = ModelServer(health=[{"status": "STARTING"}, b"not json", {"status": last}])
    ask(server, lambda model: model.wait_ready(30))
    assert len(server.requests) == 3


def test_an_unhealthy_model_may_get_well_and_its_reason_is_told_once() -> None:
    ill = {"status": "UNHEALTHY", "user_healthcheck_error": "no GPU memory"}
    told: list[str] = []
    server = ModelServer(health=[ill, ill, {"status": "READY"}])
    ask(server, lambda model: model.wait_ready(30, told.append))
    assert told == ["no GPU memory"]


def test_a_failed_setup_ends_the_wait() -> None:
    server = ModelServer(health=[{"status": "STARTING"}, {"status": "SETUP_FAILED"}])
    with pytest.raises(ModelNotReady, match="Model setup failed"):
        ask(server, lambda model: model.wait_ready(30))


def test_a_server_that_has_given_up_ends_the_wait() -> None:
    server = ModelServer(health=[{"status": "DEFUNCT", "error": "worker died"}])
    with pytest.raises(ModelNotReady, match=r"has given up \(DEFUNCT\): worker died"):
        ask(server, lambda model: model.wait_ready(30))


def test_a_setup_that_takes_too_long_is_told_with_the_last_status() -> None:
    server = ModelServer(health=[{"status": "STARTING"}])
    with pytest.raises(ModelNotReady, match=r"not ready within 0\.2 s; its server says STARTING"):
        ask(server, lambda model: model.wait_ready(0.2))


@pytest.mark.slow
def test_a_server_that_is_not_there_yet_is_waited_for() -> None:
    async def scene() -> None:
        async with ModelClient("127.0.0.1:9") as model:
            with pytest.raises(ModelNotReady, match="its server did not answer"):
                await model.wait_ready(0.3)

    asyncio.run(scene())


def test_the_token_goes_with_every_question() -> None:
    server = ModelServer(document={"openapi": "3.0.2"})
    assert ask(server, lambda model: model.document(), token="t") == {"openapi": "3.0.2"}
    assert server.requests[0][1]["authorization"] == "Bearer t"


def test_a_server_without_a_document_is_told() -> None:
    with pytest.raises(PredictionRefused, match=r"no /openapi\.json"):
        ask(ModelServer(), lambda model: model.document())


def events(*named: tuple[str, Any]) -> Answer:
    text = ": keep-alive\n\n"
    text += "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return Answer(text.encode(), content_type="text/event-stream; charset=utf-8")


def test_items_come_as_events_and_the_whole_at_the_end() -> None:
    items: dict[int, Any] = {}
    answer = events(
        ("start", {"id": "x", "status": "processing"}),
        ("output", {"chunk": "a", "index": 0}),
        ("log", {"source": "stdout", "data": "hm"}),
        ("output", {"chunk": "b", "index": 1}),
        ("completed", DONE),
    )
    server = ModelServer(predict=lambda headers, body: answer)
    body = {"input": {"n": 2}}
    found = ask(server, lambda model: model.predict("/predictions", body, items.__setitem__))
    assert found == DONE
    assert items == {0: "a", 1: "b"}
    assert server.requests[0][2] == body


def test_a_model_without_events_is_asked_again_for_the_whole() -> None:
    def predict(headers: dict[str, str], body: Any) -> Answer:
        refused = "event-stream" in headers.get("accept", "")
        return Answer({"error": "no streaming"}, 406) if refused else Answer(DONE)

    server = ModelServer(predict=predict)
    assert ask(server, lambda model: model.predict("/predictions", {}, ignore)) == DONE
    assert len(server.requests) == 2


def test_a_server_that_knows_nothing_of_events_sends_the_whole() -> None:
    server = ModelServer(predict=lambda headers, body: Answer(DONE))
    assert ask(server, lambda model: model.predict("/predictions", {}, ignore)) == DONE
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (events(("start", {})), "ended the prediction's events before its end"),
        (events(("error", {"error": "events were dropped", "skipped": 3})), "events were dropped"),
    ],
)
def test_lost_events_are_an_error(answer: Answer, told: str) -> None:
    server = ModelServer(predict=lambda headers, body: answer)
    with pytest.raises(PredictionRefused, match=told):
        ask(server, lambda model: model.predict("/predictions", {}, ignore))


VIOLATIONS = {
    "detail": [
        {"loc": ["body", "input", "scale"], "msg": "must be >= 1", "type": "value_error"},
        {"loc": ["body", "input"], "msg": 'input "text": missing', "type": "value_error"},
        "odd",
    ]
}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            Answer(VIOLATIONS, 422),
            'The inputs do not fit the model:\n  - scale: must be >= 1\n  - input "text": missing\n  - odd',
        ),
        (
            Answer({"error": "At capacity", "status": "failed"}, 409),
            "The /predictions call returned status 409: At capacity",
        ),
        (Answer({"detail": "Already running"}, 409), "returned status 409: Already running"),
        (Answer(b"bad gateway", 502, "text/plain"), "returned status 502: bad gateway"),
        (Answer(b"", 500), "The /predictions call returned status 500"),
        (Answer(b"null"), "returned status 200: null"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(answer: Answer, told: str) -> None:
    server = ModelServer(predict=lambda headers, body: answer)
    with pytest.raises(PredictionRefused) as raised:
        ask(server, lambda model: model.predict("/predictions", {}, None))
    assert told in str(raised.value)


def test_events_are_read_by_the_standards_rules() -> None:
    lines = [
        "event:a",
        'data: {"x":',
        "data:1}",
        "",
        ": comment",
        "",
        "event: b",
        "",
        "data: {}",
        "",
    ]

    async def feed() -> AsyncIterator[str]:
        for line in lines:
            yield line

    async def scene() -> list[tuple[str, Any]]:
        return [event async for event in read_events(feed())]

    assert asyncio.run(scene()) == [("a", {"x": 1}), ("", {})]
