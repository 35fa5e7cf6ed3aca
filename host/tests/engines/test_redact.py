"""Credentials do not get out."""

from __future__ import annotations

import pytest

from cogworks.engines.redact import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pw@host/x", "https://***@host/x"),
        ("`https://token@host` and http://a:b@c", "`https://***@host` and http://***@c"),
        ("git+ssh://git@host/x", "git+ssh://***@host/x"),
        ("https://host/x@1.0", "https://host/x@1.0"),
        ("https://host/f?token=abc&x=1", "https://host/f?token=***&x=1"),
        ("name==1.0", "name==1.0"),
    ],
)
def test_user_information_and_tokens_are_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected
