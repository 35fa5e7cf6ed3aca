from __future__ import annotations

from collections.abc import Callable

from cogworks.cli.input_schema import InputSchema, read_input_schema

Make = Callable[..., InputSchema]


def test_properties_come_in_the_order_of_the_parameters() -> None:
    properties = {"b": {"x-order": 0}, "a": {"x-order": 1}}
    document = {"components": {"schemas": {"Input": {"properties": properties}}}}
    assert list(read_input_schema(document).properties) == ["b", "a"]


def test_a_document_without_inputs_has_none() -> None:
    assert read_input_schema({}).properties == {}


def test_choices_are_found_behind_their_reference(schema_of: Make) -> None:
    choice = {"allOf": [{"$ref": "#/components/schemas/size"}], "nullable": True}
    component = {"type": "string", "enum": ["s", "l"]}
    schema = schema_of([], {"size": component}, size=choice)
    assert schema.kinds(schema.properties["size"]) == {"string"}
    [alternative] = schema.alternatives(schema.properties["size"])
    assert alternative["enum"] == ["s", "l"]
    assert alternative["nullable"] is True


def test_members_of_a_union_keep_what_stands_beside_it(schema_of: Make) -> None:
    union = {"anyOf": [{"type": "integer"}, {"type": "string"}], "nullable": True}
    schema = schema_of(x=union)
    kinds = [(part["type"], part["nullable"]) for part in schema.alternatives(union)]
    assert kinds == [("integer", True), ("string", True)]


def test_a_schema_without_a_type_takes_everything(schema_of: Make) -> None:
    assert "object" in schema_of().kinds({})


def test_a_reference_to_itself_ends(schema_of: Make) -> None:
    loop = {"$ref": "#/components/schemas/loop"}
    assert schema_of([], {"loop": loop}, x=loop).kinds(loop)


def test_a_file_is_known_by_its_format(schema_of: Make) -> None:
    assert schema_of().is_file({"type": "string", "format": "uri"})
    assert not schema_of().is_file({"type": "string"})
