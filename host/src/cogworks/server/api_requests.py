"""What clients may send to run a prediction, as schemas of OpenAPI 3.0.2; pure.

JSON says everything. A form says it in texts and files: null and an empty list are left out, and a
body that is one file leaves the other inputs to the query, which the format cannot tie to it.
"""

from __future__ import annotations

from typing import Any

from cog._schema.kinds import is_dict, is_list
from cogworks.server.api_components import ID, Schema, nullable, reference
from cogworks.server.form_values import FormSchema

JSON = "application/json"
FORM = "multipart/form-data"

FILE_TYPES = ("application/octet-stream", "audio/*", "image/*", "video/*")
"""Types of a body that is a file; the server takes all others, too, that mean nothing else to it."""

EVENTS = ("start", "output", "logs", "completed")

_FILE: Schema = {"type": "string", "format": "binary"}
_ABOUT_FORMS = (
    "As a form, each part is an input or another field of the request;"
    " a part `input` may have several inputs, as JSON."
)
_ABOUT_FILES = (
    " A body of any other type is the first input that is a file and not in the query;"
    " the query has the other inputs."
)


def request_component(own: Schema, input_name: str, input_schema: Schema) -> Schema:
    """Return the body of a request: what the document has of it, and what the server reads besides."""
    fields = {"id": nullable({"title": "Id", **ID}), "input": reference(input_name)}
    fields |= {name: nullable(schema) for name, schema in _other_fields().items()}
    merged: Schema = {
        **own,
        "type": "object",
        "properties": {**_dict(own.get("properties")), **fields},
    }
    if takes_nothing(input_schema):
        merged["properties"]["input"] = nullable(fields["input"])
    else:
        merged["required"] = ["input"]
    return merged


def form_component(title: str, input_schema: Schema, components: Schema) -> Schema:
    """Return the parts of a form; an input's name means the input, also where a field has it."""
    form = form_of(input_schema, components)
    inputs = {
        name: _part(schema, is_file=form.is_file(name))
        for name, schema in _inputs(input_schema).items()
    }
    fields = {name: _part(schema) for name, schema in _other_fields().items()}
    schema: Schema = {
        "title": title,
        "type": "object",
        "properties": {"id": {"title": "Id", **ID}, **fields, **inputs},
        "additionalProperties": False,
    }
    required = input_schema.get("required")
    return {**schema, "required": required} if required else schema


def request_body(names: dict[str, str], input_schema: Schema, components: Schema) -> Schema:
    """Return the bodies that may be sent; ``names`` are those of Request and Form."""
    has_files = bool(form_of(input_schema, components).file_names)
    content: Schema = {
        JSON: {"schema": reference(names["Request"])},
        FORM: {"schema": reference(names["Form"])},
    }
    if has_files:
        content |= {media_type: {"schema": dict(_FILE)} for media_type in FILE_TYPES}
    body: Schema = {
        "description": _ABOUT_FORMS + (_ABOUT_FILES if has_files else ""),
        "content": content,
    }
    return body if takes_nothing(input_schema) else {**body, "required": True}


def form_of(input_schema: Schema, components: Schema) -> FormSchema:
    """Return what the reader of forms knows of the inputs."""
    schemas = {name: schema for name, schema in components.items() if is_dict(schema)}
    return FormSchema(_inputs(input_schema), schemas)


def takes_nothing(input_schema: Schema) -> bool:
    """Tell whether a model can be run without any input."""
    return not input_schema.get("required")


def _other_fields() -> dict[str, Schema]:
    """Return the fields beside ``id`` and ``input``."""
    return {
        "context": {
            "title": "Context",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "webhook": {
            "title": "Webhook",
            "type": "string",
            "format": "uri",
            "pattern": "^https?://[^/?#]",
            "maxLength": 65536,
        },
        "webhook_events_filter": {
            "title": "Webhook Events Filter",
            "type": "array",
            "items": {"type": "string", "enum": list(EVENTS)},
        },
    }


def _part(schema: Schema, *, is_file: bool = False) -> Schema:
    """Return how a form says it: no null, and a list by its items, of which there is one at least."""
    part = {key: value for key, value in schema.items() if key not in ("default", "nullable")}
    if is_list(part.get("anyOf")):
        part["anyOf"] = [_part(member) for member in part["anyOf"] if is_dict(member)]
    if part.get("type") == "array":
        part["items"] = _part(_dict(part.get("items")), is_file=is_file)
        return {**part, "minItems": max(1, part.get("minItems", 1))}
    return {**part, **_FILE} if is_file else part


def _inputs(input_schema: Schema) -> dict[str, Schema]:
    properties = _dict(input_schema.get("properties"))
    return {name: schema for name, schema in properties.items() if is_dict(schema)}


def _dict(value: Any) -> Schema:
    return value if is_dict(value) else {}
