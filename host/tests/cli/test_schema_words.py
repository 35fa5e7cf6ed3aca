from __future__ import annotations

from typing import Any

import pytest

from cogworks.cli.input_schema import read_input_schema
from cogworks.cli.schema_words import describe_default, describe_limits, describe_type

CONTEXT = read_input_schema(
    {"components": {"schemas": {"size": {"type": "string", "enum": ["small", "größer"]}}}}
)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uri"}, "file"),
        ({"type": "string", "format": "password", "x-cog-secret": True}, "secret"),
        ({"type": "array", "items": {"type": "string", "format": "uri"}}, "list of file"),
        ({"type": "array"}, "list"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "integer or string"),
        ({"allOf": [{"$ref": "#/components/schemas/size"}]}, "string"),
        ({}, "any"),
        ({"type": "object"}, "object"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
                "required": ["a"],
            },
            "object {a: string, b?: number}",
        ),
        (
            {"type": "array", "items": {"type": "string"}, "x-cog-array-type": "iterator"},
            "iterator of string",
        ),
        (
            {
                "type": "array",
                "items": {"type": "string"},
                "x-cog-array-type": "iterator",
                "x-cog-array-display": "concatenate",
            },
            "text, piece by piece",
        ),
    ],
)
def test_a_type_is_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert describe_type(schema, CONTEXT) == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "number", "minimum": 0, "maximum": 1.5}, "0 to 1.5"),
        ({"type": "number", "minimum": 0}, "at least 0"),
        ({"type": "string", "maxLength": 80}, "at most 80 characters"),
        ({"type": "string", "minLength": 1}, "at least 1 character"),
        ({"type": "string", "pattern": "^a$"}, "matches ^a$"),
        ({"allOf": [{"$ref": "#/components/schemas/size"}]}, 'one of: "small", "größer"'),
        ({"type": "array", "items": {"type": "integer", "enum": [1, 2]}}, "one of: 1, 2"),
        ({"type": "string", "nullable": True, "deprecated": True}, "may be null; deprecated"),
        ({"type": "string", "format": "uri", "x-cog-accept": "image/*"}, "accepts image/*"),
        ({"type": "string"}, ""),
    ],
)
def test_limits_are_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert describe_limits(schema, CONTEXT) == words


def test_a_default_is_json_and_a_missing_one_is_told_apart_from_none() -> None:
    assert describe_default("a", {"default": "x"}, ["a"]) == '"x"'
    assert describe_default("a", {"default": None}, []) == "null"
    assert describe_default("a", {}, ["a"]) == "required"
    assert describe_default("a", {}, []) == ""


def test_a_type_that_contains_itself_ends() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["again"] = schema
    assert describe_type(schema, CONTEXT).endswith("object" + "}" * 5)
