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
    return [(item["loc"][-1], item["msg"]) for item in checked.problems(values)]


def test_a_fitting_input_has_no_problems() -> None:
    assert schema(["n"], n={"type": "integer"}).problems({"n": 3}) == []


def test_a_missing_input_is_named() -> None:
    assert schema(["n"], n={"type": "integer"}).problems({}) == [
        {"loc": ["body", "input", "n"], "msg": "Field required", "type": "value_error.missing"}
    ]


@pytest.mark.parametrize(
    ("described", "value", "message"),
    [
        ({"type": "integer"}, "3", "must be of type integer"),
        ({"type": "integer", "minimum": 1}, 0, "must be at least 1"),
        ({"type": "number", "maximum": 1.5}, 2, "must be at most 1.5"),
        ({"type": "number"}, 10**400, "must be at most 1.7976931348623157e+308"),
        ({"type": "number", "minimum": 0}, -(10**400), "must be at least 0"),
        ({"type": "string", "minLength": 2}, "x", "must have at least 2 characters"),
        ({"type": "string", "maxLength": 2}, "xxx", "must have at most 2 characters"),
        ({"type": "string", "pattern": "^a"}, "b", "must match the pattern ^a"),
        ({"allOf": [{"$ref": "#/components/schemas/mode"}]}, "c", "must be one of: a, b"),
        ({"type": "string", "format": "uri"}, "photo.jpg", "must be an http(s) URL or a data URL"),
    ],
)
def test_each_rule_has_a_readable_message(described: Any, value: Any, message: str) -> None:
    assert messages(schema(x=described), x=value) == [("x", message)]


def test_the_place_of_a_nested_problem_is_joined() -> None:
    checked = schema(xs={"type": "array", "items": {"type": "integer"}})
    assert messages(checked, xs=[1, "two"]) == [("xs/1", "must be of type integer")]


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
    assert messages(schema(x={"type": "string"}), x=None) == [("x", "must be of type string")]


def test_unknown_inputs_are_told_apart() -> None:
    assert schema(x={}).split_unknown({"x": 1, "y": 2}) == ({"x": 1}, ["y"])


def test_secrets_are_redacted_and_others_are_not() -> None:
    checked = schema(key={"type": "string", "x-cog-secret": True}, x={})
    assert checked.redact({"key": "geheim", "x": 1}) == {"key": "**********", "x": 1}
    assert checked.redact({"x": 1}) == {"x": 1}


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
