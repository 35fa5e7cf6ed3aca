"""From the OpenAPI 3.0 schema of inputs to the JSON Schema that is compiled.

OpenAPI says ``nullable`` where JSON Schema says ``type: [..., "null"]``; a file input is a string
of format ``uri``, which is a URL; ``x-cog-items`` says what stands where in an array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cog._schema.kinds import is_dict, is_list
from cog._schema.scalars import TEXTS

URL_PATTERN = "^([hH][tT][tT][pP][sS]?://|[dD][aA][tT][aA]:)"
"""What a file input must begin with; case does not count. Source: RFC 3986, section 3.1."""

LARGEST = sys.float_info.max
"""What a float input may be at most."""

EXPECTED = {
    "date-time": TEXTS["datetime"][1],
    "date": TEXTS["date"][1],
    "time": TEXTS["time"][1],
    "uuid": TEXTS["UUID"][1],
}
"""What a text of a format must be; other formats are not checked, as in upstream."""


def _checker(read: Callable[[Any], Any]) -> Callable[[str], bool]:
    def is_valid(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return is_valid


FORMATS: dict[str, Callable[[str], bool]] = {
    name: _checker(TEXTS[kind][0])
    for name, kind in zip(EXPECTED, ("datetime", "date", "time", "UUID"), strict=True)
}
"""Read by the same functions as in the worker, so that both take the same texts."""

_NOT_RULES = ("nullable", "default", "example", "x-cog-items", "format")


def to_json_schema(schema: Any) -> Any:
    """Rewrite one OpenAPI 3.0 schema, and what it contains."""
    if is_list(schema):
        return [to_json_schema(item) for item in schema]
    if not is_dict(schema):
        return schema
    result = {key: _rewrite(key, value) for key, value in schema.items() if key not in _NOT_RULES}
    pattern = result.get("pattern")
    if isinstance(pattern, str) and not _is_understood(pattern):
        del result["pattern"]  # The worker knows Python's own, and checks them too.
    result.update(_format(schema))
    if result.get("type") == "number":
        # JSON has numbers that no float can hold.
        result["maximum"] = min(result.get("maximum", LARGEST), LARGEST)
        result["minimum"] = max(result.get("minimum", -LARGEST), -LARGEST)
    if is_list(schema.get("x-cog-items")):
        # Beside ``prefixItems``, ``items`` would be about what comes after.
        result.pop("items", None)
        result["prefixItems"] = to_json_schema(schema["x-cog-items"])
    return _nullable(result) if schema.get("nullable") else result


@lru_cache(maxsize=256)
def _is_understood(pattern: str) -> bool:
    """Tell whether the validator knows a pattern; of Python's it does not know ``(?P=name)``."""
    # Here, because the command reads this module for its formats alone.
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except jsonschema_rs.ValidationError:
        return False
    return True


def _rewrite(key: str, value: Any) -> Any:
    if key == "enum":
        return value
    if key == "properties" and is_dict(value):  # Their names may be those of keywords.
        return {name: to_json_schema(item) for name, item in value.items()}
    return to_json_schema(value)


def _format(schema: dict[Any, Any]) -> dict[str, Any]:
    name = schema.get("format")
    if schema.get("type") != "string":
        return {}
    if name == "uri":
        return {"pattern": URL_PATTERN}
    return {"format": name} if name in FORMATS else {}


def _nullable(result: dict[Any, Any]) -> dict[Any, Any]:
    """Let null pass, by the keywords that are there, so that errors keep their places."""
    kind = result.get("type")
    if isinstance(kind, str):
        result = {**result, "type": [kind, "null"]}
        return {**result, "enum": [*result["enum"], None]} if "enum" in result else result
    if "anyOf" in result and "type" not in result:
        return {**result, "anyOf": [*result["anyOf"], {"type": "null"}]}
    return {"anyOf": [result, {"type": "null"}]}
