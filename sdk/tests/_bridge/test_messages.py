"""Messages: each is the same after a journey, and what is none is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cog._bridge import messages
from cog._bridge.messages import (
    Cancel,
    Done,
    Healthcheck,
    HealthcheckResult,
    Hello,
    Init,
    Log,
    Message,
    MessageError,
    Metric,
    Output,
    Predict,
    Ready,
    SetupFailed,
    Shutdown,
    Spilled,
    decode,
    encode,
)

EXAMPLES: list[Message] = [
    Init(1, "run.py:Runner", "run", None, "/tmp/w"),
    Hello(1, "3.11.7", "0.1.0"),
    Ready(2, True, {"openapi": "3.0.2"}),
    Ready(1, False, has_healthcheck=True),
    Healthcheck(5.0),
    HealthcheckResult("Healthcheck failed: the disk is full"),
    SetupFailed("weights are corrupt"),
    Predict("p1", {"text": "a\nb"}, {"who": "me"}),
    Predict("p1", {"image": "t"}, files={"t": {"path": "/tmp/u/x.png", "name": "x.png"}}),
    Output("p1", 0, ["x"], {"t": {"path": "/tmp/x", "name": "x", "remove": True}}),
    Log("p1", "stdout", "line\n"),
    Metric("p1", "tokens", 3, "replace"),
    Done("p1", "succeeded", output={"a": 1}),
    Done("p1", "failed", error="why"),
    Cancel("p1"),
    Shutdown(),
    Spilled("/tmp/w/spill.json"),
]


def test_there_is_an_example_of_every_message() -> None:
    assert {type(message) for message in EXAMPLES} == set(messages.TYPES.values())


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_is_the_same_after_a_journey(message: Message) -> None:
    assert decode(encode(message)) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_frame_is_one_line_of_json(message: Message) -> None:
    frame = encode(message)
    assert frame.count(b"\n") == 1
    assert frame.endswith(b"\n")
    assert isinstance(json.loads(frame), dict)


def test_fields_at_their_default_are_left_out() -> None:
    assert encode(Cancel("p1")) == b'{"type":"cancel","id":"p1"}\n'
    assert encode(Done("p1", "canceled")) == b'{"type":"done","id":"p1","status":"canceled"}\n'


def test_an_output_that_is_false_or_empty_is_not_taken_for_none() -> None:
    values: list[Any] = [False, 0, "", [], {}]
    for value in values:
        assert decode(encode(Done("p1", "succeeded", output=value))) == Done(
            "p1", "succeeded", value
        )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(Done("p1", "succeeded", output=value))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"type":"nonsense"}',
        b'{"type":["cancel"],"id":"p1"}',
        b'{"type":"cancel"}',
        b'{"type":"cancel","id":"p1","more":1}',
        b'{"type":"cancel","id":"\xff"}',
    ],
)
def test_what_is_no_message_is_refused_and_quoted(line: bytes) -> None:
    with pytest.raises(MessageError, match="not a message of the bridge"):
        decode(line)
