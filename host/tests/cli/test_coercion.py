from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.cli.coercion import NotJson, coerce_text, parse_json
from cogworks.cli.input_schema import InputSchema

NONE = InputSchema({}, frozenset(), {})
BOOLEAN = {"type": "boolean"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
STRING = {"type": "string"}
OBJECT = {"type": "object"}
INTEGERS = {"type": "array", "items": INTEGER}
STRINGS = {"type": "array", "items": STRING}


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ("true", BOOLEAN, True),
        ("True", BOOLEAN, "True"),
        ("true", STRING, "true"),
        ("5", INTEGER, 5),
        ("-5", INTEGER, -5),
        ("5", NUMBER, 5),
        ("5.5", NUMBER, 5.5),
        ("1e3", NUMBER, 1000.0),
        ("5.5", INTEGER, 5.5),
        ("5", STRING, "5"),
        ("9007199254740993", INTEGER, 9007199254740993),
        ("0.1234567890123", NUMBER, 0.1234567890123),
        ("nan", NUMBER, "nan"),
        ("inf", NUMBER, "inf"),
        ("1e999", NUMBER, "1e999"),
        ("1_000", INTEGER, "1_000"),
        ("٣", INTEGER, "٣"),
        ("", STRING, ""),
        ("", INTEGER, ""),
        ("5", {"anyOf": [STRING, INTEGER]}, 5),
        ("five", {"anyOf": [STRING, INTEGER]}, "five"),
        ("7", {**STRING, "enum": ["7", "8"]}, "7"),
        ("7", {**INTEGER, "enum": [7, 8]}, 7),
        ("11", {"anyOf": [{**INTEGER, "maximum": 10}, STRING]}, "11"),
        ("[1, 2]", INTEGERS, [1, 2]),
        ("1", INTEGERS, [1]),
        ("a", STRINGS, ["a"]),
        ("[a", STRINGS, ["[a"]),
        ("5", STRINGS, ["5"]),
        ("a", {"anyOf": [STRINGS, STRING]}, "a"),
        ('["a"]', {"anyOf": [STRINGS, STRING]}, ["a"]),
        ('["a"]', STRING, '["a"]'),
        ('{"a": 1}', OBJECT, {"a": 1}),
        ("5", OBJECT, 5),
        ('{"a": 1}', {"anyOf": [OBJECT, STRING]}, {"a": 1}),
        ("{a", {"anyOf": [OBJECT, STRING]}, "{a"),
        ('{"a": 1}', {}, {"a": 1}),
        ("words", {}, "words"),
        ("1.5", {}, 1.5),
    ],
)
def test_text_becomes_what_the_schema_asks_for(
    text: str, schema: dict[str, Any], expected: Any
) -> None:
    result = coerce_text(text, schema, NONE)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON: .* \\(line 1 column 2\\)"),
        ("", "is not valid JSON"),
        ('{"a": 1, "a": 2}', "has the key 'a' twice"),
        ("[NaN]", "has NaN, which is not a JSON number"),
        ("[1e999]", "does not fit in 64 bits"),
        ("9" * 5000, "does not fit in 64 bits"),
        ("[" * 200 + "]" * 200, "nested more than 100 levels deep"),
        ("[" * 100_000, "is nested too deeply|is not valid JSON"),
    ],
)
def test_bad_json_is_told_in_words(text: str, message: str) -> None:
    with pytest.raises(NotJson, match=message):
        parse_json(text)


def test_an_object_that_is_not_json_is_refused() -> None:
    with pytest.raises(NotJson, match="is not valid JSON"):
        coerce_text("words", OBJECT, NONE)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_64_bits(number: float) -> None:
    result = coerce_text(repr(number), NUMBER, NONE)
    assert result == number
    assert math.copysign(1, result) == math.copysign(1, number)


@given(st.text(max_size=50))
def test_any_text_is_kept_for_a_string(text: str) -> None:
    assert coerce_text(text, STRING, NONE) == text
