"""Schemas of inputs and outputs in words, for people who do not read JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cogworks.cli.input_schema import ANY_TYPES, InputSchema, Schema

MAX_NESTING = 5
"""Beyond this a type is only called by its kind: object, list."""


def describe_type(schema: Schema, context: InputSchema, depth: int = 0) -> str:
    """Return ``list of file``, ``string or integer``, ``object {name: string, size?: integer}``."""
    names: dict[str, None] = {}
    for alternative in context.alternatives(schema):
        names[_describe_plain(alternative, context, depth)] = None
    if len(names) >= len(ANY_TYPES):
        return "any"
    return " or ".join(names)


def describe_default(name: str, schema: Schema, required: Sequence[str] | frozenset[str]) -> str:
    """Return the default as JSON, ``required``, or nothing."""
    if "default" in schema:
        return json.dumps(schema["default"], ensure_ascii=False)
    return "required" if name in required else ""


def describe_limits(schema: Schema, context: InputSchema) -> str:
    """Return ``0 to 10``, ``one of: "a", "b"``, ``at most 80 characters``, each part once."""
    parts: dict[str, None] = {}
    for alternative in context.alternatives(schema):
        items = context.items(alternative)
        for rule in (alternative, *(context.alternatives(items) if items else ())):
            parts.update(dict.fromkeys(_limits(rule)))
    if schema.get("nullable"):
        parts["may be null"] = None
    if schema.get("x-cog-accept"):
        parts[f"accepts {schema['x-cog-accept']}"] = None
    if schema.get("deprecated"):
        parts["deprecated"] = None
    return "; ".join(parts)


def _describe_plain(schema: Schema, context: InputSchema, depth: int) -> str:
    kind = schema.get("type")
    if schema.get("x-cog-secret") or schema.get("format") == "password":
        return "secret"
    if kind == "string":
        return "file" if schema.get("format") == "uri" else "string"
    if kind == "array":
        return _describe_array(schema, context, depth)
    if kind == "object":
        return _describe_object(schema, context, depth)
    return str(kind) if kind else "any"


def _describe_array(schema: Schema, context: InputSchema, depth: int) -> str:
    items = schema.get("items")
    if schema.get("x-cog-array-display") == "concatenate":
        return "text, piece by piece"
    word = "iterator" if schema.get("x-cog-array-type") == "iterator" else "list"
    if not items or depth >= MAX_NESTING:
        return word
    return f"{word} of {describe_type(items, context, depth + 1)}"


def _describe_object(schema: Schema, context: InputSchema, depth: int) -> str:
    properties: Any = schema.get("properties")
    if depth >= MAX_NESTING:
        return "object"
    if not properties:
        values: Any = schema.get("additionalProperties")
        if values and values is not True:
            return f"object of {describe_type(values, context, depth + 1)}"
        return "object"
    required = schema.get("required", ())
    fields = (
        f"{name}{'' if name in required else '?'}: {describe_type(part, context, depth + 1)}"
        for name, part in properties.items()
    )
    return f"object {{{', '.join(fields)}}}"


def _limits(schema: Schema) -> list[str]:
    parts: list[str] = []
    if "enum" in schema:
        values = (json.dumps(value, ensure_ascii=False) for value in schema["enum"])
        parts.append(f"one of: {', '.join(values)}")
    parts += _range(schema.get("minimum"), schema.get("maximum"), "")
    parts += _range(schema.get("minLength"), schema.get("maxLength"), " characters")
    if "pattern" in schema:
        parts.append(f"matches {schema['pattern']}")
    return parts


def _range(low: Any, high: Any, unit: str) -> list[str]:
    if low is not None and high is not None:
        return [f"{low} to {high}{unit}"]
    word, limit = ("at least", low) if low is not None else ("at most", high)
    if limit is None:
        return []
    return [f"{word} {limit}{unit.removesuffix('s') if limit == 1 else unit}"]
