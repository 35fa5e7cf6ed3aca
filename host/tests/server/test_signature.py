from __future__ import annotations

import base64

import pytest

from cogworks.server.signature import SecretError, message_id, parse_secrets, signature_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = base64.b64encode(bytes(range(32))).decode()


def test_signature_is_the_one_of_the_standards_example() -> None:
    headers = signature_headers(
        parse_secrets(SECRET),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330.9,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_of_several_secrets_signs() -> None:
    both = signature_headers(parse_secrets(f"{SECRET} {OTHER}"), "msg_1", 1.0, b"{}")
    first = signature_headers(parse_secrets(SECRET), "msg_1", 1.0, b"{}")
    second = signature_headers(parse_secrets(OTHER), "msg_1", 1.0, b"{}")
    assert both["webhook-signature"].split() == [
        first["webhook-signature"],
        second["webhook-signature"],
    ]


def test_the_prefix_of_a_secret_is_optional() -> None:
    assert parse_secrets(SECRET) == parse_secrets(SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not base64!", "is not base64"),
        ("whsec_", "has 0 bytes"),
        (base64.b64encode(b"x" * 23).decode(), "has 23 bytes"),
        (base64.b64encode(b"x" * 65).decode(), "has 65 bytes"),
        ("  ", "is empty"),
        ("é" * 32, "is not base64"),
    ],
)
def test_a_useless_secret_is_refused_without_being_shown(text: str, reason: str) -> None:
    with pytest.raises(SecretError, match=reason) as caught:
        parse_secrets(text)
    assert len(text) < 10 or text not in str(caught.value)


def test_a_message_keeps_its_id_and_another_has_another() -> None:
    assert message_id("p1", b"{}") == message_id("p1", b"{}")
    assert len({message_id("p1", b"{}"), message_id("p2", b"{}"), message_id("p1", b"[]")}) == 3
