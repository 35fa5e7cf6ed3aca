"""Requests: what is read of them, and how it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogworks.server.errors import ClientLeftError
from cogworks.server.requests import (
    BadFieldsError,
    BadRequestError,
    parse_prediction_request,
    read_body,
    read_json_request,
)
from cogworks.server.service import PredictionRequest


def read(*messages: dict[str, Any], limit: int = 100, **headers: str) -> bytes:
    return asyncio.run(read_body(_scope(headers), _receive(messages), limit))


def read_request(body: bytes, **headers: str) -> PredictionRequest:
    headers.setdefault("content_type", "application/json")
    return read_json_request(_scope(headers), body)


def _scope(headers: dict[str, str]) -> dict[str, Any]:
    pairs = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return {"type": "http", "headers": pairs}


def _receive(messages: tuple[dict[str, Any], ...]) -> Any:
    remaining = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(remaining)

    return receive


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_put_together() -> None:
    assert read(part(b"ab", True), part(b"c", True), part(b"")) == b"abc"


def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(BadRequestError) as caught:
        read(limit=3, content_length="4")
    assert caught.value.status == 413


def test_a_longer_body_than_declared_is_refused() -> None:
    with pytest.raises(BadRequestError):
        read(part(b"ab", True), part(b"cd", True), limit=3, content_length="2")
    with pytest.raises(BadRequestError):
        read(part(b"abcd"), limit=3)


def test_a_client_that_leaves_midway_is_noticed() -> None:
    with pytest.raises(ClientLeftError):
        read(part(b"ab", True), {"type": "http.disconnect"})


def test_no_body_stands_for_no_inputs() -> None:
    assert read_request(b"") == PredictionRequest()


def test_parameters_of_the_content_type_are_ignored() -> None:
    request = read_request(b'{"input":{"a":1}}', content_type="Application/JSON; charset=utf-8")
    assert request.input == {"a": 1}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(kind: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request(b"{}", content_type=kind)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b'{"input": NaN}', b"\xff", b"[" * 100_000, b'"\\ud800"']
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises((BadRequestError, BadFieldsError)):
        read_request(body)


def test_null_fields_count_as_absent() -> None:
    data = {"input": None, "context": None, "id": None}
    assert parse_prediction_request(data) == PredictionRequest()


def test_unknown_fields_are_ignored() -> None:
    assert parse_prediction_request({"more": 1}) == PredictionRequest()


def test_all_wrong_fields_are_reported_at_once() -> None:
    with pytest.raises(BadFieldsError) as caught:
        parse_prediction_request({"input": [], "context": {"a": 1}, "id": "../x"})
    assert [item["loc"][-1] for item in caught.value.detail] == ["input", "context", "id"]


@pytest.mark.parametrize("body", [[], 3, "x", None])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(BadFieldsError, match="must be a JSON object"):
        parse_prediction_request(body)


@pytest.mark.parametrize("given", ["", "a/b", "a b", "x" * 201, "é", 3])
def test_an_id_of_other_characters_is_refused(given: Any) -> None:
    with pytest.raises(BadFieldsError, match="1 to 200 characters"):
        parse_prediction_request({"id": given})


@pytest.mark.parametrize("padding", [0, 100_000])
def test_a_deep_body_is_refused_and_a_wide_one_is_not_whatever_their_size(padding: int) -> None:
    text = b'"text": "%s"' % (b"x" * padding)
    wide = b'{"input": {%s, "list": [%s]}}' % (text, b"[]," * 200 + b"{}")
    assert len(read_request(wide).input["list"]) == 201
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = b'{"input": {%s, "deep": %s1%s}}' % (text, opening * 120, closing * 120)
        with pytest.raises(BadRequestError, match="100 levels"):
            read_request(deep)
