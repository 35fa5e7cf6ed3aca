from __future__ import annotations

from typing import Any

from cog._schema.inputs import inputs_schema
from cog._schema.types import (
    COMPUTED,
    AnyType,
    DictType,
    InputField,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
)

INT, TEXT = Scalar("int"), Scalar("str")


def property_of(field: InputField) -> dict[str, Any]:
    properties: dict[str, Any] = inputs_schema("Input", (field,), {})["properties"]
    found: dict[str, Any] = properties[field.name]
    return found


def test_inputs_keep_their_order() -> None:
    schema = inputs_schema("Input", (InputField("b", TEXT), InputField("a", INT, 3)), {})
    assert schema == {
        "title": "Input",
        "type": "object",
        "properties": {
            "b": {"type": "string", "title": "B", "x-order": 0},
            "a": {"type": "integer", "title": "A", "default": 3, "x-order": 1},
        },
        "required": ["b"],
    }


def test_nothing_is_required_of_nothing() -> None:
    assert inputs_schema("Input", (), {}) == {"title": "Input", "type": "object", "properties": {}}


def test_everything_that_an_author_says_is_there() -> None:
    field = InputField(
        "text",
        TEXT,
        "a",
        description="T",
        min_length=1,
        max_length=2,
        regex="a",
        deprecated=True,
    )
    assert property_of(field) == {
        "type": "string",
        "title": "Text",
        "description": "T",
        "minLength": 1,
        "maxLength": 2,
        "pattern": "a",
        "deprecated": True,
        "default": "a",
        "x-order": 0,
    }


def test_bounds_and_accept_have_their_keys() -> None:
    number = property_of(InputField("n", INT, ge=0, le=9))
    assert (number["minimum"], number["maximum"]) == (0, 9)
    assert property_of(InputField("f", PathType(), accept="image/*"))["x-cog-accept"] == "image/*"


def test_constraints_of_a_list_are_about_its_items() -> None:
    schema = property_of(InputField("n", ListType(INT), ge=0))
    assert schema["items"] == {"type": "integer", "minimum": 0}
    assert "minimum" not in schema


def test_null_is_a_default_of_its_own() -> None:
    nullable = OptionalType(ListType(DictType(AnyType())))
    assert property_of(InputField("items", nullable, None)) == {
        "default": None,
        "items": {"type": "object"},
        "nullable": True,
        "title": "Items",
        "type": "array",
        "x-order": 0,
    }
    assert "default" not in property_of(InputField("items", nullable))


def test_defaults_of_secrets_are_not_shown() -> None:
    schema = inputs_schema("Input", (InputField("token", SecretType(), "hidden"),), {})
    assert "hidden" not in str(schema)
    assert "required" not in schema
    secret = OptionalType(SecretType())
    assert property_of(InputField("token", secret, None))["default"] is None


def test_defaults_that_code_makes_are_not_shown() -> None:
    schema = inputs_schema("Input", (InputField("seed", INT, COMPUTED),), {})
    assert "required" not in schema
    assert "default" not in schema["properties"]["seed"]


def test_choices_become_a_component() -> None:
    components: dict[str, Any] = {}
    field = InputField("size", OptionalType(INT), 1, choices=(1, 2), description="S")
    schema = inputs_schema("Input", (field,), components)
    assert schema["properties"]["size"] == {
        "allOf": [{"$ref": "#/components/schemas/size"}],
        "nullable": True,
        "description": "S",
        "default": 1,
        "x-order": 0,
    }
    assert components == {
        "size": {
            "title": "size",
            "description": "An enumeration.",
            "enum": [1, 2],
            "type": "integer",
        }
    }


def test_choices_of_a_list_are_about_its_items() -> None:
    components: dict[str, Any] = {}
    field = InputField("tags", ListType(TEXT), choices=("a", "b"))
    schema = inputs_schema("Input", (field,), components)
    assert schema["properties"]["tags"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/tags"},
        "title": "Tags",
        "x-order": 0,
    }
    assert components["tags"]["type"] == "string"


def test_component_that_is_taken_is_left_alone() -> None:
    taken = {"title": "Status"}
    components: dict[str, Any] = {"Status": taken, "StatusChoices": {}}
    field = InputField("Status", TEXT, choices=("a", "b"))
    schema = inputs_schema("Input", (field,), components)
    reference = schema["properties"]["Status"]["allOf"][0]["$ref"]
    assert reference == "#/components/schemas/StatusChoices2"
    assert components["Status"] is taken


def test_same_enum_is_shared() -> None:
    components: dict[str, Any] = {}
    for _ in range(2):
        inputs_schema("Input", (InputField("a", TEXT, choices=("x",)),), components)
    assert list(components) == ["a"]
