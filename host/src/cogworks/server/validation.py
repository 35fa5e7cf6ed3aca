"""Check the inputs of a request against the model's OpenAPI document, compiled once.

OpenAPI 3.0 says ``nullable`` where JSON Schema says ``type: [..., "null"]``, and a file input is a
string of format ``uri``; both are rewritten before the schema is compiled.
"""

from __future__ import annotations

import sys
from typing import Any

import jsonschema_rs

from cog._schema.kinds import is_dict, is_list

URL_PATTERN = "^(https?://|data:)"
"""What a file input must begin with."""

LARGEST = sys.float_info.max
"""What a float input may be at most."""

REDACTED = "**********"

_COMPONENTS = {"run": ("Input",), "train": ("TrainingInput", "Input")}


class InputSchema:
    """The inputs of one model; without a document, everything is accepted as it is."""

    def __init__(self, document: dict[str, Any] | None, mode: str) -> None:
        """Compile the document's input component."""
        components: dict[str, Any] = (document or {}).get("components", {}).get("schemas", {})
        schema: dict[str, Any] | None = next(
            (components[name] for name in _COMPONENTS[mode] if name in components), None
        )
        self._properties: dict[str, Any] | None = None
        self._validator: jsonschema_rs.Validator | None = None
        self._secrets: frozenset[str] = frozenset()
        if schema is None:
            return
        properties: dict[str, Any] = schema.get("properties", {})
        self._properties = properties
        self._secrets = frozenset(n for n, s in properties.items() if s.get("x-cog-secret"))
        rewritten = {name: _to_json_schema(item) for name, item in components.items()}
        whole = {**_to_json_schema(schema), "components": {"schemas": rewritten}}
        self._validator = jsonschema_rs.Draft202012Validator(whole, mask="the value")

    def split_unknown(self, values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the inputs that the model has, and the names of the others."""
        if self._properties is None or self._properties.keys() >= values.keys():
            return values, []
        known = {name: value for name, value in values.items() if name in self._properties}
        return known, [name for name in values if name not in self._properties]

    def problems(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what is wrong, each as ``{loc, msg, type}``; an empty list if nothing is."""
        if self._validator is None or self._validator.is_valid(values):
            return []
        return [_problem(error) for error in self._validator.iter_errors(values)]

    def has_secrets(self, values: dict[str, Any]) -> bool:
        """Tell whether any of the inputs is a secret."""
        return not self._secrets.isdisjoint(values)

    def redact(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs with secrets made unreadable."""
        if self._secrets.isdisjoint(values):
            return values
        return {
            name: REDACTED if name in self._secrets and value is not None else value
            for name, value in values.items()
        }


def _problem(error: jsonschema_rs.ValidationError) -> dict[str, Any]:
    path = [str(part) for part in error.instance_path]
    kind = error.kind.as_dict()
    if error.kind.name == "required":
        place = "/".join([*path, kind["property"]])
        return _detail(place, "Field required", "value_error.missing")
    return _detail("/".join(path) or "__root__", _message(error, kind), "value_error")


def _detail(place: str, message: str, type_: str) -> dict[str, Any]:
    return {"loc": ["body", "input", place], "msg": message, "type": type_}


def _message(error: jsonschema_rs.ValidationError, kind: dict[str, Any]) -> str:
    """Say what the value must be; the value itself may be huge or secret and is not quoted."""
    match error.kind.name:
        case "type":
            expected = " or ".join(name for name in kind["types"] if name != "null")
            return f"must be of type {expected}"
        case "minimum":
            return f"must be at least {kind['limit']}"
        case "maximum":
            return f"must be at most {kind['limit']}"
        case "minLength":
            return f"must have at least {kind['limit']} characters"
        case "maxLength":
            return f"must have at most {kind['limit']} characters"
        case "pattern" if kind["pattern"] == URL_PATTERN:
            return "must be an http(s) URL or a data URL"
        case "pattern":
            return f"must match the pattern {kind['pattern']}"
        case "enum":
            return "must be one of: " + ", ".join(str(option) for option in kind["options"])
        case _:
            return error.message


def _to_json_schema(schema: Any) -> Any:
    """Rewrite one OpenAPI 3.0 schema, and what it contains, as JSON Schema."""
    if is_list(schema):
        return [_to_json_schema(item) for item in schema]
    if not is_dict(schema):
        return schema
    result = {
        key: value if key in ("default", "enum") else _to_json_schema(value)
        for key, value in schema.items()
        if key not in ("nullable", "default", "example")
    }
    if result.get("type") == "number":
        # JSON has numbers that no float can hold.
        result["maximum"] = min(result.get("maximum", LARGEST), LARGEST)
        result["minimum"] = max(result.get("minimum", -LARGEST), -LARGEST)
    if result.get("format") == "uri" and result.get("type") == "string":
        result["pattern"] = URL_PATTERN
    if not schema.get("nullable"):
        return result
    if isinstance(result.get("type"), str) and "enum" not in result:
        return {**result, "type": [result["type"], "null"]}
    return {"anyOf": [result, {"type": "null"}]}
