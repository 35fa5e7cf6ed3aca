"""Make the secrets among inputs unreadable, wherever in a value they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cog._schema.kinds import is_dict, is_list

REDACTED = "**********"

Redact = Callable[[Any], Any]


def find_redaction(schema: Any) -> Redact | None:
    """Return what hides the secrets in the values of a schema; None if there can be none."""
    if not is_dict(schema):
        return None
    if schema.get("x-cog-secret"):
        return _hide
    if schema.get("type") == "array":
        item = find_redaction(schema.get("items"))
        return None if item is None else _each_item(item)
    if schema.get("type") == "object":
        return _object_redaction(schema)
    members = [find_redaction(member) for member in schema.get("anyOf", ())]
    return _in_turn([member for member in members if member is not None])


def _hide(value: Any) -> Any:
    return None if value is None else REDACTED


def _each_item(redact: Redact) -> Redact:
    return lambda value: [redact(item) for item in value] if is_list(value) else value


def _object_redaction(schema: dict[Any, Any]) -> Redact | None:
    properties: dict[Any, Any] = schema.get("properties", {})
    rest = find_redaction(schema.get("additionalProperties"))
    named = {
        name: redact
        for name, item in properties.items()
        if (redact := find_redaction(item)) is not None
    }
    if rest is None and not named:
        return None

    def redact_object(value: Any) -> Any:
        if not is_dict(value):
            return value
        result: dict[str, Any] = {}
        for name, item in value.items():
            redact = named.get(name, rest)
            result[name] = item if redact is None else redact(item)
        return result

    return redact_object


def _in_turn(members: list[Redact]) -> Redact | None:
    def redact_all(value: Any) -> Any:
        for redact in members:
            # A text that is no secret to one member may be one to another.
            value = redact(value)
        return value

    return redact_all if members else None
