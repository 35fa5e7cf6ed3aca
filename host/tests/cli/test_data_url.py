from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.cli.data_url import DataUrl, decode_data_url, encode_data_url, is_data_url


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(content: bytes) -> None:
    url = encode_data_url("image/png", content)
    assert is_data_url(url)
    assert decode_data_url(url) == DataUrl("image/png", content)


def test_a_url_without_base64_is_percent_decoded() -> None:
    assert decode_data_url("data:text/plain;charset=utf-8,a%20b") == DataUrl("text/plain", b"a b")


def test_no_media_type_is_plain_text() -> None:
    assert decode_data_url("data:,x") == DataUrl("text/plain", b"x")


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:;base64,a", "data:;base64,@@@@"])
def test_a_broken_url_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="data URL"):
        decode_data_url(url)
