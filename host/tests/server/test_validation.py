"""Inputs are checked against the document; messages never quote the value."""

from __future__ import annotations

from typing import Any

import pytest

from cogworks.server.validation import InputSchema


def schema(required: list[str] | None = None, **properties: Any) -> InputSchema:
    inputs = {"type": "object", "properties": properties, "required": required or []}
    choices = {"type": "string", "enum": ["a", "b"]}
    return InputSchema({"components": {"schemas": {"Input": inputs, "mode": choices}}}, "run")


def messages(checked: InputSchema, **values: Any) -> list[tuple[str, str]]:
    """Return the place of each problem, and its message without the place."""
    found: list[tuple[str, str]] = []
    for item in checked.problems(values):
        place = item["loc"][-1]
        found.append((place, item["msg"].removeprefix(f'input "{place}": ')))
    return found


def test_a_fitting_input_has_no_problems() -> None:
    assert schema(["n"], n={"type": "integer"}).problems({"n": 3}) == []


def test_a_missing_input_is_named() -> None:
    assert schema(["n"], n={"type": "integer"}).problems({}) == [
        {"loc": ["body", "input", "n"], "msg": "Field required", "type": "value_error.missing"}
    ]


@pytest.mark.parametrize(
    ("described", "value", "message"),
    [
        ({"type": "integer"}, "3", "must be of type integer, got string"),
        ({"type": "integer", "minimum": 1}, 0, "must be >= 1, got 0"),
        ({"type": "number", "maximum": 1.5}, 2, "must be <= 1.5, got 2"),
        (
            {"type": "number"},
            10**400,
            "must be <= 1.7976931348623157e+308, got a number of more than 64 bits",
        ),
        (
            {"type": "number", "minimum": 0},
            -(10**400),
            "must be >= 0, got a number of more than 64 bits",
        ),
        ({"type": "string", "minLength": 2}, "x", "must have at least 2 characters, got 1"),
        ({"type": "string", "maxLength": 2}, "xxx", "must have at most 2 characters, got 3"),
        ({"type": "string", "pattern": "^a"}, "b", "must match the pattern ^a"),
        ({"allOf": [{"$ref": "#/components/schemas/mode"}]}, "c", "must be one of: a, b"),
        ({"type": "string", "format": "uri"}, "photo.jpg", "must be an http(s) URL or a data URL"),
        ({"type": "string", "format": "date"}, "soon", "must be a date, such as 2024-05-17"),
        ({"enum": [1, "a"]}, True, "must be one of: 1, a"),
        ({"enum": ["a"], "type": "string", "nullable": True}, "b", "must be one of: a"),
        ({"type": "array", "minItems": 2}, [1], "must have at least 2 items, got 1"),
        ({"type": "array", "uniqueItems": True}, [1, 1], "must not hold the same item twice"),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "nullable": True},
            [],
            "must be of type integer or string, got array",
        ),
        (
            {"type": "integer", "maximum": 1},
            10**90,
            "must be <= 1, got a number of more than 64 bits",
        ),
    ],
)
def test_each_rule_has_a_readable_message(described: Any, value: Any, message: str) -> None:
    assert messages(schema(x=described), x=value) == [("x", message)]


@pytest.mark.parametrize("url", ["http://x/y", "HTTPS://X/y", "data:,a", "Data:,a"])
def test_the_case_of_a_scheme_does_not_count(url: str) -> None:
    assert messages(schema(x={"type": "string", "format": "uri"}), x=url) == []


def test_a_message_names_the_input() -> None:
    (problem,) = schema(scale={"type": "number", "minimum": 1}).problems({"scale": 0.5})
    assert problem == {
        "loc": ["body", "input", "scale"],
        "msg": 'input "scale": must be >= 1, got 0.5',
        "type": "value_error",
    }


POINT = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "required": {"type": "string", "nullable": True}},
    "required": ["x"],
}


@pytest.mark.parametrize(
    ("described", "value", "place", "message"),
    [
        (POINT, {"x": "far"}, "p/x", "must be of type number, got string"),
        (POINT, {}, "p/x", "Field required"),
        ({**POINT, "nullable": True}, {"x": []}, "p/x", "must be of type number, got array"),
        (
            {"anyOf": [POINT, {"type": "string"}]},
            {"x": "far"},
            "p/x",
            "must be of type number, got string",
        ),
        ({"anyOf": [POINT, {"type": "integer", "maximum": 3}]}, 4, "p", "must be <= 3, got 4"),
        (
            {"type": "array", "items": {"anyOf": [POINT, {"type": "null"}]}},
            [{"x": 1}, {}],
            "p/1/x",
            "Field required",
        ),
        (
            {
                "type": "array",
                "items": {},
                "x-cog-items": [{"type": "integer"}, {"type": "string"}],
            },
            [1, 2],
            "p/1",
            "must be of type string, got integer",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"a": 1, "b": "c"},
            "p/b",
            "must be of type integer, got string",
        ),
    ],
)
def test_a_problem_inside_of_an_input_has_its_place(
    described: Any, value: Any, place: str, message: str
) -> None:
    assert messages(schema(p=described), p=value) == [(place, message)]


def test_the_place_of_a_nested_problem_is_joined() -> None:
    checked = schema(xs={"type": "array", "items": {"type": "integer"}})
    assert messages(checked, xs=[1, "two"]) == [("xs/1", "must be of type integer, got string")]


@pytest.mark.parametrize(
    "described",
    [
        {"type": "string", "nullable": True},
        {"type": "string", "format": "uri", "nullable": True},
        {"nullable": True, "allOf": [{"$ref": "#/components/schemas/mode"}]},
    ],
)
def test_null_is_accepted_where_the_document_says_nullable(described: Any) -> None:
    assert messages(schema(x=described), x=None) == []
    assert messages(schema(x=described), x=3)


def test_null_is_refused_elsewhere() -> None:
    assert messages(schema(x={"type": "string"}), x=None) == [
        ("x", "must be of type string, got null")
    ]


def test_unknown_inputs_are_told_apart() -> None:
    assert schema(x={}).split_unknown({"x": 1, "y": 2}) == ({"x": 1}, ["y"])


def test_secrets_are_redacted_and_others_are_not() -> None:
    checked = schema(key={"type": "string", "x-cog-secret": True}, x={})
    assert checked.redact({"key": "geheim", "x": 1}) == {"key": "**********", "x": 1}
    assert checked.redact({"x": 1}) == {"x": 1}


def test_secrets_inside_of_an_input_are_redacted() -> None:
    secret = {"type": "string", "x-cog-secret": True, "nullable": True}
    inner = {"type": "object", "properties": {"key": secret, "x": {"type": "integer"}}}
    checked = schema(
        keys={"type": "array", "items": secret},
        options=inner,
        table={"type": "object", "additionalProperties": inner},
        either={"anyOf": [{"type": "string"}, inner]},
    )
    hidden = "**********"
    assert checked.redact(
        {
            "keys": ["a", None],
            "options": {"key": "a", "x": 1, "more": 2},
            "table": {"t": {"key": "a"}},
            "either": {"key": "a"},
        }
    ) == {
        "keys": [hidden, None],
        "options": {"key": hidden, "x": 1, "more": 2},
        "table": {"t": {"key": hidden}},
        "either": {"key": hidden},
    }
    assert checked.redact({"either": "open"}) == {"either": "open"}


def test_a_huge_or_secret_value_is_not_quoted() -> None:
    (problem,) = schema(x={"type": "integer"}).problems({"x": "geheim" * 1000})
    assert "geheim" not in problem["msg"]


def test_without_a_document_everything_passes() -> None:
    checked = InputSchema(None, "run")
    assert checked.problems({"anything": 1}) == []
    assert checked.split_unknown({"anything": 1}) == ({"anything": 1}, [])


def test_training_inputs_have_a_component_of_their_own() -> None:
    components: dict[str, Any] = {
        "Input": {"type": "object", "properties": {"a": {}}},
        "TrainingInput": {"type": "object", "properties": {"b": {}}},
    }
    document = {"components": {"schemas": components}}
    assert InputSchema(document, "train").split_unknown({"b": 1}) == ({"b": 1}, [])
    assert InputSchema(document, "run").split_unknown({"b": 1}) == ({}, ["b"])


def test_limits_of_a_field_inside_are_checked_and_its_place_is_named() -> None:
    field = {"type": "integer", "minimum": 0}
    checked = schema(box={"type": "object", "properties": {"y": field}})
    assert messages(checked, box={"y": -1}) == [("box/y", "must be >= 0, got -1")]


def test_pattern_that_only_python_knows_is_left_to_the_worker() -> None:
    schema = {"type": "string", "pattern": "(?P<x>a)(?P=x)"}
    known = {"type": "string", "pattern": "^a+$"}
    properties = {"twice": schema, "plain": known, "pattern": {"type": "string"}}
    component = {"type": "object", "properties": properties}
    compiled = InputSchema({"components": {"schemas": {"Input": component}}}, "run")
    assert compiled.problems({"twice": "aa", "pattern": "b"}) == []
    assert [item["loc"] for item in compiled.problems({"twice": 1, "plain": "b"})] == [
        ["body", "input", "twice"],
        ["body", "input", "plain"],
    ]
