from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cogworks.cli.input_schema import InputSchema
from cogworks.cli.validation import find_problems, name_problems, value_problems
from cogworks.server.json_schema import EXPECTED

Make = Callable[..., InputSchema]
INTEGER = {"type": "integer"}
STRING = {"type": "string"}
FILE = {"type": "string", "format": "uri"}


def test_an_unknown_name_is_told_with_the_valid_ones(schema_of: Make) -> None:
    schema = schema_of(a=STRING, b=STRING)
    expected = ['unknown input "x"; valid inputs are: a, b']
    assert name_problems(["x"], schema) == expected


def test_several_unknown_names_make_one_sentence(schema_of: Make) -> None:
    assert name_problems(["x", "y", "x"], schema_of(a=STRING)) == [
        'unknown inputs "x", "y"; valid inputs are: a'
    ]


def test_a_model_without_inputs_says_so(schema_of: Make) -> None:
    assert name_problems(["x"], schema_of()) == ['unknown input "x"; model does not accept inputs']


def test_missing_names_are_told_in_the_order_of_the_parameters(schema_of: Make) -> None:
    schema = schema_of(["b", "a"], a=STRING, b=STRING, c=STRING)
    assert name_problems([], schema) == ['missing required input "a"', 'missing required input "b"']


def test_a_value_of_another_type_is_told_with_its_name(schema_of: Make) -> None:
    assert value_problems({"n": "x"}, schema_of(n=INTEGER)) == [
        'invalid input "n": expected integer, got string'
    ]


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        (True, INTEGER, "expected integer, got boolean"),
        (1.5, INTEGER, "expected integer, got number"),
        ([1], INTEGER, "expected integer, got array"),
        ({}, {"anyOf": [INTEGER, STRING]}, "expected integer or string, got object"),
        (None, STRING, "must not be null (omit the input to use its default)"),
        ("x", {**STRING, "enum": ["a", "b"]}, "must be one of: a, b"),
        (-1, {**INTEGER, "minimum": 0}, "must be >= 0, got -1"),
        (11, {**INTEGER, "maximum": 10}, "must be <= 10, got 11"),
        (2**64, INTEGER, "must fit in 64 bits"),
        (-(2**63) - 1, {"type": "number"}, "must fit in 64 bits"),
        ("ab", {**STRING, "minLength": 3}, "must have at least 3 characters, got 2"),
        ("abcd", {**STRING, "maxLength": 3}, "must have at most 3 characters, got 4"),
        ("ab", {**STRING, "pattern": "^[0-9]+$"}, "must match the pattern ^[0-9]+$"),
        ("\ud800", STRING, "must be valid Unicode text"),
        (
            "photo.jpg",
            FILE,
            "must be a file or a URL, got 'photo.jpg'; write @ in front of the path to send a file",
        ),
        ([1, "x"], {"type": "array", "items": INTEGER}, "item 1: expected integer, got string"),
        (
            {"a": "x"},
            {"type": "object", "properties": {"a": INTEGER}},
            'key "a": expected integer, got string',
        ),
        ({}, {"type": "object", "required": ["a"]}, 'missing key "a"'),
        ({"a": 1}, {"type": "object", "additionalProperties": False}, 'unknown key "a"'),
        (
            {"a": 1},
            {"type": "object", "additionalProperties": STRING},
            'key "a": expected string, got integer',
        ),
        ({"a": {"b": 2**70}}, {"type": "object"}, 'key "a": key "b": must fit in 64 bits'),
    ],
)
def test_each_problem_has_its_sentence(
    value: Any, schema: dict[str, Any], problem: str, schema_of: Make
) -> None:
    assert find_problems(value, schema, schema_of()) == [problem]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (5, {"type": "number"}),
        (2**63, INTEGER),
        (None, {**STRING, "nullable": True}),
        (None, {}),
        ("https://example.com/a.png", FILE),
        ("DATA:image/png;base64,", FILE),
        ("abc", {**STRING, "pattern": "b"}),
        ("x", {**STRING, "pattern": "(?<bad"}),
        ([None], {"type": "array"}),
        ({"a": None}, {"type": "object"}),
        ("5", {"anyOf": [INTEGER, STRING]}),
    ],
)
def test_what_fits_has_no_problem(value: Any, schema: dict[str, Any], schema_of: Make) -> None:
    assert find_problems(value, schema, schema_of()) == []


@pytest.mark.parametrize(
    ("described", "value", "problem"),
    [
        (
            {"type": "array", "x-cog-items": [{"type": "integer"}, {"type": "string"}]},
            [1, 2],
            "item 1: expected string, got integer",
        ),
        ({"type": "array", "minItems": 2}, [1], "must have at least 2 items, got 1"),
        ({"type": "array", "maxItems": 2}, [1, 2, 3], "must have at most 2 items, got 3"),
        ({"type": "array", "uniqueItems": True}, [1, 2, 1.0], "must not hold the same item twice"),
        ({"type": "string", "format": "uuid"}, "no", f"must be {EXPECTED['uuid']}"),
        ({"type": "string", "format": "date"}, "no", f"must be {EXPECTED['date']}"),
    ],
)
def test_what_the_server_refuses_is_refused_before_anything_starts(
    described: dict[str, Any], value: Any, problem: str
) -> None:
    assert find_problems(value, described, InputSchema({}, frozenset(), {})) == [problem]


def test_true_and_one_are_different_items() -> None:
    described = {"type": "array", "uniqueItems": True}
    assert find_problems([1, True], described, InputSchema({}, frozenset(), {})) == []
