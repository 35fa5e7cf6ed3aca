"""What is wrong with the inputs of a request, in sentences; one shape: ``{loc, msg, type}``.

    {"loc": ["body", "input", "scale"], "type": "value_error",
     "msg": 'input "scale": must be >= 1, got 0.5'}

A place inside of an input is joined with ``/``, as upstream does: ``points/0/x``. Text that a client
sent is not quoted: it may be huge, or a secret.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from cog._schema.scalars import json_name
from cogworks.server.json_schema import EXPECTED, URL_PATTERN

MOST_BITS = 64
"""Of an integer that is quoted; the digits of one have no end."""


def list_problems(errors: list[jsonschema_rs.ValidationError]) -> list[dict[str, Any]]:
    """Return what the errors of a validation say."""
    return [problem for error in errors for problem in _problems(error)]


def _problems(error: jsonschema_rs.ValidationError) -> list[dict[str, Any]]:
    kind = error.kind.as_dict()
    if error.kind.name == "anyOf":
        return _alternatives(error, kind["context"])
    path = [str(part) for part in error.instance_path]
    if error.kind.name == "required":
        return [_detail([*path, kind["property"]], "Field required", "value_error.missing")]
    return [_detail(path, _message(error, kind), "value_error")]


def _alternatives(
    error: jsonschema_rs.ValidationError, branches: list[list[jsonschema_rs.ValidationError]]
) -> list[dict[str, Any]]:
    """Say what the alternative that was meant lacks; all of them, if the value is of no such type."""
    depth = len(error.instance_path)
    meant = [branch for branch in branches if not any(_is_type(item, depth) for item in branch)]
    if meant:
        # The furthest from the root, then the fewest: what was almost right.
        return list_problems(min(meant, key=_distance))
    expected = [name for branch in branches for item in branch for name in _types(item, depth)]
    path = [str(part) for part in error.instance_path]
    message = _wrong_type(list(dict.fromkeys(expected)), error.instance)
    return [_detail(path, message, "value_error")]


def _is_type(error: jsonschema_rs.ValidationError, depth: int) -> bool:
    return error.kind.name == "type" and len(error.instance_path) == depth


def _types(error: jsonschema_rs.ValidationError, depth: int) -> list[str]:
    return list(error.kind.as_dict()["types"]) if _is_type(error, depth) else []


def _distance(branch: list[jsonschema_rs.ValidationError]) -> tuple[int, int]:
    return -max(len(error.instance_path) for error in branch), len(branch)


def _detail(path: list[str], message: str, type_: str) -> dict[str, Any]:
    place = "/".join(path) or "__root__"
    # Clients know "Field required" by these very words.
    is_plain = type_ == "value_error.missing" or not path
    text = message if is_plain else f'input "{place}": {message}'
    return {"loc": ["body", "input", place], "msg": text, "type": type_}


def _message(error: jsonschema_rs.ValidationError, kind: dict[str, Any]) -> str:
    """Say what the value must be."""
    value: Any = error.instance
    match error.kind.name:
        case "type":
            return _wrong_type(kind["types"], value)
        case "minimum":
            return f"must be >= {kind['limit']}, got {_number(value)}"
        case "maximum":
            return f"must be <= {kind['limit']}, got {_number(value)}"
        case "minLength":
            return f"must have at least {kind['limit']} characters, got {len(value)}"
        case "maxLength":
            return f"must have at most {kind['limit']} characters, got {len(value)}"
        case "minItems" | "maxItems" as rule:
            least = "at least" if rule == "minItems" else "at most"
            return f"must have {least} {kind['limit']} items, got {len(value)}"
        case "uniqueItems":
            return "must not hold the same item twice"
        case "pattern" if kind["pattern"] == URL_PATTERN:
            return "must be an http(s) URL or a data URL"
        case "pattern":
            return f"must match the pattern {kind['pattern']}"
        case "format" if kind["format"] in EXPECTED:
            return f"must be {EXPECTED[kind['format']]}"
        case "enum":
            options = [option for option in kind["options"] if option is not None]
            return "must be one of: " + ", ".join(map(str, options))
        case _:
            return error.message


def _wrong_type(types: list[str], value: Any) -> str:
    expected = " or ".join(name for name in types if name != "null")
    return f"must be of type {expected}, got {json_name(value)}"


def _number(value: Any) -> str:
    is_huge = isinstance(value, int) and value.bit_length() > MOST_BITS
    return f"a number of more than {MOST_BITS} bits" if is_huge else str(value)
