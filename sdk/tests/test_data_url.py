"""``data:`` URLs as clients write them."""

from __future__ import annotations

import base64

import pytest

from cog.data_url import DataURL, decode_data_url, is_data_url
from cog.errors import InvalidDataURLError


@pytest.mark.parametrize(
    ("url", "media_type", "content"),
    [
        ("data:text/plain;base64,aGVsbG8=", "text/plain", b"hello"),
        ("data:image/png;base64,", "image/png", b""),
        ("data:;base64,aGVsbG8=", "text/plain;charset=US-ASCII", b"hello"),
        ("data:,hello%20there", "text/plain;charset=US-ASCII", b"hello there"),
        ("data:text/html;charset=utf-8,%C3%A4", "text/html;charset=utf-8", b"\xc3\xa4"),
        ("data:text/plain;charset=utf-8;base64,w6Q=", "text/plain;charset=utf-8", b"\xc3\xa4"),
        ("DATA:text/plain;BASE64,aGVsbG8=", "text/plain", b"hello"),
        ("data:text/plain,a,b", "text/plain", b"a,b"),
    ],
)
def test_a_data_url_is_decoded(url: str, media_type: str, content: bytes) -> None:
    assert is_data_url(url)
    assert decode_data_url(url) == DataURL(media_type, content)


@pytest.mark.parametrize(
    "body", ["-_8=", "-_8", "+/8", "%2B%2F8%3D", "+/\n8=", "+/8=\r\n"], ids=repr
)
def test_base64_is_read_as_senders_write_it(body: str) -> None:
    assert decode_data_url(f"data:x/y;base64,{body}").content == b"\xfb\xff"


@pytest.mark.parametrize("body", ["a", "a!bc", "abcde", "ä123", "aGVsbG8=aGVs", "=aGV", "a b!"])
def test_broken_base64_is_a_value_error(body: str) -> None:
    with pytest.raises(InvalidDataURLError, match="base64") as caught:
        decode_data_url(f"data:x/y;base64,{body}")
    assert isinstance(caught.value, ValueError)


def test_a_url_without_a_comma_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no comma"):
        decode_data_url("data:text/plain;base64")


def test_an_error_quotes_little_of_a_long_url() -> None:
    with pytest.raises(InvalidDataURLError) as caught:
        decode_data_url("data:x/y;base64," + "a" * 1_000_001)
    assert len(str(caught.value)) < 300


def test_every_byte_survives() -> None:
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    assert decode_data_url(f"data:x/y;base64,{encoded}").content == content
