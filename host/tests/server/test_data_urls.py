"""Data URLs are found in JSON texts without parsing them, and only there."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cog._schema.kinds import is_dict, is_list
from cogworks.server.data_urls import LEAST_BYTES, cut_out, decode

CONTENT = bytes(range(256)) * (LEAST_BYTES // 256)
LONG = f"data:image/png;base64,{base64.b64encode(CONTENT).decode()}"


def cut(data: Any, **options: Any) -> tuple[Any, dict[str, str]]:
    """Return the data with tokens, and what they stand for."""
    numbers = itertools.count()
    text = json.dumps(data, **options).encode()
    rest, found = cut_out(text, lambda: f"token{next(numbers)}")
    return json.loads(rest), {token: json.loads(bytes(url.quoted)) for token, url in found.items()}


def test_a_long_data_url_is_replaced_by_a_token() -> None:
    rest, found = cut({"input": {"a": "x", "file": LONG, "b": [LONG]}})
    assert rest == {"input": {"a": "x", "file": "token0", "b": ["token1"]}}
    assert found == {"token0": LONG, "token1": LONG}


def test_its_type_and_its_content_are_told() -> None:
    _, found = cut_out(json.dumps([LONG]).encode(), lambda: "t")
    assert found["t"].media_type == "image/png"
    assert b"".join(decode(found["t"].content)) == CONTENT


@pytest.mark.parametrize(
    "value",
    [
        "data:image/png;base64,AAAA",
        LONG.replace("data:", "dater:", 1),
        LONG.replace(";base64,", ",", 1),
        f'say "{LONG}"',
        f'say \\"{LONG}"',
        LONG.replace("image", "im\\age", 1),
        LONG.replace("image", "im\u00e4ge", 1),
    ],
)
def test_everything_else_stays(value: str) -> None:
    rest, found = cut({"input": value})
    assert (rest, found) == ({"input": value}, {})


@pytest.mark.parametrize("text", [b"", b'"data:', b'{"a": "data:x;base64,' + b"A" * LEAST_BYTES])
def test_a_text_that_ends_midway_stays_as_it_is(text: bytes) -> None:
    assert cut_out(text, lambda: "t") == (text, {})


@pytest.mark.parametrize("content", [b"A", b"AAA", b"AA*A", b"AAAA\nAAAA", b"AA==AAAA"])
def test_what_is_no_base64_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|Non-base64"):
        list(decode(memoryview(content)))


JSON = st.recursive(
    st.none() | st.integers() | st.text() | st.just(LONG),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def put_back(data: Any, found: dict[str, str]) -> Any:
    if isinstance(data, str):
        return found.get(data, data)
    if is_list(data):
        return [put_back(item, found) for item in data]
    if is_dict(data):
        return {key: put_back(item, found) for key, item in data.items()}
    return data


@given(JSON, st.booleans(), st.sampled_from([None, 2]))
def test_any_json_is_the_same_with_the_urls_put_back(
    data: Any, ensure_ascii: bool, indent: int | None
) -> None:
    rest, found = cut(data, ensure_ascii=ensure_ascii, indent=indent)
    assert put_back(rest, found) == data
