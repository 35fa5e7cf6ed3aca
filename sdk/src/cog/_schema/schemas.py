"""The JSON Schema (as in OpenAPI 3.0) of one type; the shape is the reference's, key by key."""

from __future__ import annotations

from typing import Any

from cog._schema.types import (
    COMPUTED,
    MISSING,
    AnyType,
    ChoiceType,
    DictType,
    FileType,
    InputField,
    IteratorType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    RecursiveType,
    Scalar,
    SecretType,
    TextType,
    TupleType,
    Type,
    UnionType,
    contains,
)

Schema = dict[str, Any]

_SCALARS = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_FORMATS = {"datetime": "date-time", "date": "date", "time": "time", "UUID": "uuid"}
_CONSTRAINTS = (
    ("ge", "minimum"),
    ("le", "maximum"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("regex", "pattern"),
)
_JSON_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def title(name: str) -> str:
    """Return ``num_outputs`` as ``Num Outputs``."""
    return " ".join(word[:1].upper() + word[1:] for word in name.split("_") if word)


def type_schema(type_: Type) -> Schema:
    """Return the schema of a type, without a title of its own."""
    if isinstance(type_, Scalar):
        return {"type": _SCALARS[type_.name]}
    if isinstance(type_, (PathType, FileType)):
        return {"type": "string", "format": "uri"}
    if isinstance(type_, SecretType):
        return {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}
    if isinstance(type_, TextType):
        return {"type": "string", "format": _FORMATS[type_.name]}
    if isinstance(type_, ChoiceType):
        return choice_schema(type_.values)
    if isinstance(type_, (AnyType, RecursiveType)):
        return {"type": "object"}
    if isinstance(type_, DictType):
        return _dict_schema(type_)
    return _compound_schema(type_)


def choice_schema(values: tuple[Any, ...]) -> Schema:
    """Return the schema of one of some values; it has a type only if they are all of one."""
    kinds = {_JSON_TYPES[type(value)] for value in values}
    return {"enum": list(values), **({"type": kinds.pop()} if len(kinds) == 1 else {})}


def constraint_words(field: InputField) -> Schema:
    """Return the limits of an input, or of the items of one that is a list."""
    values = ((key, getattr(field, name)) for name, key in _CONSTRAINTS)
    return {key: value for key, value in values if value is not None}


def description_words(field: InputField) -> Schema:
    """Return what an input has beside its type: its description, default and so on."""
    schema: Schema = {}
    if field.description is not None:
        schema["description"] = field.description
    if field.deprecated is not None:
        schema["deprecated"] = field.deprecated
    if field.accept is not None:
        schema["x-cog-accept"] = field.accept
    if _is_public_default(field):
        schema["default"] = field.default
    return schema


def _is_public_default(field: InputField) -> bool:
    """A secret's default is not for the public; one that the author's code makes is unknown."""
    default: Any = field.default
    if default is MISSING or default is COMPUTED:
        return False
    return default is None or not contains(field.type, SecretType)


def _compound_schema(type_: Type) -> Schema:
    if isinstance(type_, ListType):
        schema: Schema = {"type": "array", "items": type_schema(type_.item)}
        is_set = type_.container in ("set", "frozenset")
        return {**schema, "uniqueItems": True} if is_set else schema
    if isinstance(type_, TupleType):
        return _tuple_schema(type_)
    if isinstance(type_, OptionalType):
        return _optional_schema(type_)
    if isinstance(type_, UnionType):
        return {"anyOf": [type_schema(member) for member in type_.members]}
    if isinstance(type_, ObjectType):
        return _object_schema(type_)
    assert isinstance(type_, IteratorType)
    return _iterator_schema(type_)


def _tuple_schema(type_: TupleType) -> Schema:
    """OpenAPI 3.0 has no word for what stands where in an array; ``x-cog-items`` says it."""
    items = [type_schema(item) for item in type_.items]
    different: list[Schema] = []
    for item in items:
        if item not in different:
            different.append(item)
    any_item = different[0] if len(different) == 1 else {"anyOf": different}
    count = len(items)
    schema: Schema = {"type": "array", "items": any_item, "minItems": count, "maxItems": count}
    return schema if len(different) == 1 else {**schema, "x-cog-items": items}


def _dict_schema(type_: DictType) -> Schema:
    if isinstance(type_.value, AnyType):
        return {"type": "object"}
    return {"type": "object", "additionalProperties": type_schema(type_.value)}


def _optional_schema(type_: OptionalType) -> Schema:
    schema = type_schema(type_.item)
    for member in schema.get("anyOf", ()):
        member["nullable"] = True
    return {**schema, "nullable": True}


def _object_schema(type_: ObjectType) -> Schema:
    properties = {field.name: _field_schema(field) for field in type_.fields}
    schema: Schema = {"type": "object", "properties": properties}
    required = [field.name for field in type_.fields if field.required]
    return {**schema, "required": required} if required else schema


def _field_schema(field: ObjectField) -> Schema:
    schema: Schema = {"title": title(field.name), **type_schema(field.type)}
    rules = field.rules
    if rules is None:
        return schema
    constraints = constraint_words(rules)
    if rules.choices is not None:
        constraints["enum"] = list(rules.choices)
    inner = rules.type.item if isinstance(rules.type, OptionalType) else rules.type
    (schema["items"] if isinstance(inner, ListType) else schema).update(constraints)
    return {**schema, **description_words(rules)}


def _iterator_schema(type_: IteratorType) -> Schema:
    schema: Schema = {
        "type": "array",
        "items": type_schema(type_.item),
        "x-cog-array-type": "iterator",
    }
    if type_.concatenate:
        schema["x-cog-array-display"] = "concatenate"
    return schema
