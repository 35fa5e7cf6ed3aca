"""What the answers of this server look like, and ids, as schemas of OpenAPI 3.0.2; pure.

A model's own document, which an image carries as a label, keeps the shape that tools of Cog know.
The one that a server answers with says more, and what it says is true: which fields may be null,
which are always there, what an id may be.
"""

from __future__ import annotations

from typing import Any

from cog._schema.kinds import is_dict

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"

ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._~-]+$",
}
"""What a client may choose as an id; ``requests.ID_PATTERN`` in the words of JSON Schema."""

_ALWAYS = ["id", "status", "input", "output", "logs", "error", "metrics"]
_TIMES = ["created_at", "started_at", "completed_at"]


def reference(name: str) -> Schema:
    """Point at a component."""
    return {"$ref": REFERENCE + name}


def nullable(schema: Schema) -> Schema:
    """Allow null; what stands beside a reference is ignored, so one is wrapped."""
    return (
        {"allOf": [schema], "nullable": True} if "$ref" in schema else {**schema, "nullable": True}
    )


def response_component(
    own: Schema, names: dict[str, str], output_schema: Schema, *, is_input_changed: bool
) -> Schema:
    """Return a prediction as it is answered; ``names`` are those of Input, Output and Status.

    Args:
        is_input_changed: something else may be shown in the place of an input.
    """
    output = reference(names["Output"])
    fields: Schema = {
        "input": {"title": "Input", "type": "object"}
        if is_input_changed
        else reference(names["Input"]),
        "output": nullable({"title": "Output"} if is_vague(output_schema) else output),
        "id": {"title": "Id", **ID},
        "created_at": _time("Created At"),
        "started_at": nullable(_time("Started At")),
        "completed_at": nullable(_time("Completed At")),
        "status": reference(names["Status"]),
        "error": nullable({"title": "Error", "type": "string"}),
        "logs": {"title": "Logs", "type": "string", "default": ""},
        "metrics": {"title": "Metrics", "type": "object"},
    }
    properties = {**_dict(own.get("properties")), **fields}
    return {**own, "type": "object", "properties": properties, "required": [*_ALWAYS, *_TIMES]}


def page_component(title: str, response_name: str) -> Schema:
    """Return one page of the list of predictions."""
    return {
        "title": title,
        "type": "object",
        "required": ["results", "next"],
        "properties": {
            "results": {"type": "array", "items": reference(response_name)},
            "next": {"type": "string", "nullable": True, "description": "Where the next page is."},
        },
    }


def is_vague(schema: Any) -> bool:
    """Tell whether something in it is ``Any``, of which the format says no more than "object"."""
    if is_dict(schema) and schema.get("type") == "object":
        fields = _dict(schema.get("properties")).values()
        more = schema.get("additionalProperties")
        return any(map(is_vague, fields)) if fields else more is None or is_vague(more)
    if is_dict(schema):
        return is_vague(schema.get("items")) or any(map(is_vague, schema.get("anyOf") or ()))
    return False


ERROR: Schema = {
    "title": "Error",
    "type": "object",
    "required": ["error", "status"],
    "properties": {
        "error": {"title": "Error", "type": "string"},
        "status": {"title": "Status", "type": "string", "enum": ["failed"]},
    },
}
"""The envelope of every error that is not about the fields of a request."""

INDEX: Schema = {
    "title": "Index",
    "type": "object",
    "required": ["cog_version", "openapi_url", "healthcheck_url"],
    "additionalProperties": {"type": "string"},
}

READINESS: Schema = {
    "title": "Readiness",
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}, "error": {"type": "string"}},
}

HEALTH: Schema = {
    "title": "HealthCheck",
    "type": "object",
    "required": ["status", "setup", "version"],
    "properties": {
        "status": {
            "type": "string",
            "enum": ["STARTING", "READY", "BUSY", "UNHEALTHY", "SETUP_FAILED", "DEFUNCT"],
        },
        "setup": {
            "type": "object",
            "required": ["started_at", "status", "logs"],
            "properties": {
                "started_at": {"type": "string", "format": "date-time"},
                "completed_at": {"type": "string", "format": "date-time"},
                "status": {"type": "string", "enum": ["starting", "succeeded", "failed"]},
                "logs": {"type": "string"},
                "error": {"type": "string"},
            },
        },
        "version": {"type": "object", "additionalProperties": {"type": "string"}},
        "user_healthcheck_error": {"type": "string"},
    },
}

EMPTY: Schema = {"type": "object", "maxProperties": 0}
"""``{}``: there is nothing to say."""


def _time(title: str) -> Schema:
    return {"title": title, "type": "string", "format": "date-time"}


def _dict(value: Any) -> Schema:
    return value if is_dict(value) else {}
