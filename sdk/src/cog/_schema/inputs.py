"""The ``Input`` component of the document, and the enum components of its choices."""

from __future__ import annotations

from typing import Optional

from cog._schema.schemas import (
    Schema,
    choice_schema,
    constraint_words,
    description_words,
    title,
    type_schema,
)
from cog._schema.types import (
    ChoiceType,
    InputField,
    ListType,
    OptionalType,
    Type,
)

REFERENCE = "#/components/schemas/"


def inputs_schema(
    name: str, fields: tuple[InputField, ...], components: dict[str, Schema]
) -> Schema:
    """Return the schema of an input object; enums are added to ``components``.

    An enum is named after its parameter, as clients expect. Where that name means something
    else already (an input called ``Status``, or another enum), ``Choices`` is appended.
    """
    properties = {
        field.name: _property_schema(field, order, components) for order, field in enumerate(fields)
    }
    schema: Schema = {"title": name, "type": "object", "properties": properties}
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def _property_schema(field: InputField, order: int, components: dict[str, Schema]) -> Schema:
    schema = _typed_schema(field, components)
    if "allOf" not in schema:
        schema["title"] = title(field.name)
    schema.update(description_words(field))
    schema["x-order"] = order
    return schema


def _typed_schema(field: InputField, components: dict[str, Schema]) -> Schema:
    schema = type_schema(field.type)
    is_list = isinstance(_without_optional(field.type), ListType)
    constraints = constraint_words(field)
    if is_list:
        schema["items"].update(constraints)
    else:
        schema.update(constraints)
    enum = _enum(field, schema["items"] if is_list else schema)
    if enum is None:
        return schema
    reference = {"$ref": REFERENCE + _add_component(field.name, enum, components)}
    if is_list:
        return {**schema, "items": reference}
    nullable = {"nullable": True} if "nullable" in schema else {}
    return {"allOf": [reference], **constraints, **nullable}


def _enum(field: InputField, base: Schema) -> Optional[Schema]:
    """Return the component of an input with choices; its items' if it is a list."""
    type_ = _without_optional(field.type)
    item = type_.item if isinstance(type_, ListType) else type_
    head = {"title": field.name, "description": "An enumeration."}
    if field.choices is not None:
        return {**head, "enum": list(field.choices), "type": base["type"]}
    return {**head, **choice_schema(item.values)} if isinstance(item, ChoiceType) else None


def _add_component(name: str, enum: Schema, components: dict[str, Schema]) -> str:
    candidate, count = name, 1
    while components.get(candidate, enum) != enum:
        candidate = f"{name}Choices{count if count > 1 else ''}"
        count += 1
    components[candidate] = enum
    return candidate


def _without_optional(type_: Type) -> Type:
    return type_.item if isinstance(type_, OptionalType) else type_
