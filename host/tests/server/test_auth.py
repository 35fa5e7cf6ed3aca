"""Who may pass, and what the others are told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cogworks.server.auth import CHALLENGE, INVALID_TOKEN, BearerAuth, NoAuth, auth_for


def request(*values: bytes, path: str = "/predictions") -> dict[str, Any]:
    headers = [(b"host", b"x"), *((b"authorization", value) for value in values)]
    return {"type": "http", "method": "POST", "path": path, "headers": headers}


@pytest.mark.parametrize("value", [b"Bearer s3cret", b"bearer s3cret", b"BEARER   s3cret "])
def test_the_token_lets_a_request_pass(value: bytes) -> None:
    assert BearerAuth("s3cret").refusal(request(value)) is None


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health-check"])
def test_probes_need_no_token(path: str) -> None:
    assert BearerAuth("s3cret").refusal(request(path=path)) is None
    assert BearerAuth("s3cret").refusal(request(b"Bearer wrong", path=path)) is None


@pytest.mark.parametrize(
    "path",
    ["/", "/predictions", "/metrics", "/docs", "/shutdown", "/livez/", "//livez", "/livez/../docs"],
)
def test_everything_else_needs_it(path: str) -> None:
    refusal = BearerAuth("s3cret").refusal(request(path=path))
    assert refusal is not None
    assert refusal.status == 401
    assert refusal.headers == {"WWW-Authenticate": CHALLENGE}
    assert set(msgspec.json.decode(refusal.body)) == {"error", "status"}


@pytest.mark.parametrize(
    "value",
    [b"Bearer wrong", b"Bearer s3cret2", b"Bearer s3cre", b"Bearer S3CRET", b"Bearer \xff\x00"],
)
def test_a_wrong_token_is_refused_as_such(value: bytes) -> None:
    refusal = BearerAuth("s3cret").refusal(request(value))
    assert refusal is not None
    assert refusal.headers == {"WWW-Authenticate": INVALID_TOKEN}


@pytest.mark.parametrize("value", [b"", b"Bearer", b"Bearer ", b"Basic s3cret", b"s3cret"])
def test_what_is_no_bearer_token_is_asked_for_one(value: bytes) -> None:
    refusal = BearerAuth("s3cret").refusal(request(value))
    assert refusal is not None
    assert refusal.headers == {"WWW-Authenticate": CHALLENGE}


def test_two_tokens_are_none() -> None:
    assert BearerAuth("s3cret").refusal(request(b"Bearer s3cret", b"Bearer s3cret")) is not None


def test_the_token_is_in_no_answer_and_no_attribute() -> None:
    auth = BearerAuth("s3cret")
    refusal = auth.refusal(request(b"Bearer wr0ng"))
    assert refusal is not None
    for text in (str(vars(auth)), str(refusal.body), str(refusal.headers)):
        assert "s3cret" not in text
        assert "wr0ng" not in text


def test_a_token_of_any_alphabet_works() -> None:
    assert BearerAuth("grün").refusal(request("Bearer grün".encode())) is None


def test_without_a_token_everything_is_open() -> None:
    for token in (None, "", "  "):
        assert isinstance(auth_for(token), NoAuth)
    assert auth_for(None).refusal(request()) is None
    assert isinstance(auth_for("s3cret\n"), BearerAuth)
    assert auth_for("s3cret\n").refusal(request(b"Bearer s3cret")) is None
