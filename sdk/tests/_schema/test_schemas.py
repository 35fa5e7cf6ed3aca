from __future__ import annotations

import pytest

from cog._schema.schemas import Schema, title, type_schema
from cog._schema.types import (
    AnyType,
    DictType,
    FileType,
    IteratorType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
    UnionType,
)

INT, TEXT = Scalar("int"), Scalar("str")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("num_outputs", "Num Outputs"), ("x", "X"), ("imageURL", "ImageURL"), ("_a__b", "A B")],
)
def test_title_is_made_of_words(name: str, expected: str) -> None:
    assert title(name) == expected


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        (Scalar("bool"), {"type": "boolean"}),
        (INT, {"type": "integer"}),
        (Scalar("float"), {"type": "number"}),
        (TEXT, {"type": "string"}),
        (PathType(), {"type": "string", "format": "uri"}),
        (FileType(), {"type": "string", "format": "uri"}),
        (
            SecretType(),
            {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True},
        ),
        (AnyType(), {"type": "object"}),
        (DictType(AnyType()), {"type": "object"}),
        (DictType(INT), {"type": "object", "additionalProperties": {"type": "integer"}}),
        (ListType(INT), {"type": "array", "items": {"type": "integer"}}),
        (OptionalType(INT), {"type": "integer", "nullable": True}),
        (UnionType((INT, TEXT)), {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (
            OptionalType(UnionType((INT, TEXT))),
            {
                "anyOf": [
                    {"type": "integer", "nullable": True},
                    {"type": "string", "nullable": True},
                ],
                "nullable": True,
            },
        ),
        (
            IteratorType(INT),
            {"type": "array", "items": {"type": "integer"}, "x-cog-array-type": "iterator"},
        ),
        (
            IteratorType(TEXT, concatenate=True),
            {
                "type": "array",
                "items": {"type": "string"},
                "x-cog-array-type": "iterator",
                "x-cog-array-display": "concatenate",
            },
        ),
        (ObjectType("Empty", ()), {"type": "object", "properties": {}}),
        (
            ObjectType(
                "Output",
                (ObjectField("the_text", TEXT), ObjectField("n", OptionalType(INT), False)),
            ),
            {
                "type": "object",
                "properties": {
                    "the_text": {"title": "The Text", "type": "string"},
                    "n": {"title": "N", "type": "integer", "nullable": True},
                },
                "required": ["the_text"],
            },
        ),
    ],
)
def test_type_has_its_schema(type_: Type, schema: Schema) -> None:
    assert type_schema(type_) == schema
