"""The OpenAPI 3.0.2 document of a model.

Component names, titles, operation ids and ``x-`` keys are part of the format: existing clients
and web forms are generated from them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Optional

from cog._schema.inputs import REFERENCE, inputs_schema
from cog._schema.schemas import Schema, type_schema
from cog._schema.types import Signature

STATUSES = ("starting", "processing", "succeeded", "canceled", "failed")


@dataclass(frozen=True)
class _Words:
    """How a mode is called in the document."""

    prefix: str
    noun: str
    plural: str
    verb: str

    def component(self, name: str) -> str:
        """Return the name of a component of this mode: Input, Output, Request or Response."""
        if name in ("Request", "Response"):
            return (self.prefix or "Prediction") + name
        return self.prefix + name


_RUN = _Words("", "prediction", "predictions", "predict")
_TRAIN = _Words("Training", "training", "trainings", "train")


def document(run: Optional[Signature], train: Optional[Signature], version: str) -> dict[str, Any]:
    """Return the document; ``version`` is that of Cogworks."""
    modes = [(_RUN, run), (_TRAIN, train)]
    present = [(words, signature) for words, signature in modes if signature is not None]
    components: dict[str, Schema] = copy.deepcopy(_COMMON_COMPONENTS)
    # The names of the whole document are taken before the first enum asks for one.
    for words, signature in present:
        components[words.component("Input")] = {}
        components[words.component("Output")] = _output_schema(signature)
        components[words.component("Request")] = _request_schema(words)
        components[words.component("Response")] = _response_schema(words)
    paths = copy.deepcopy(_COMMON_PATHS)
    for words, signature in present:
        name = words.component("Input")
        components[name] = inputs_schema(name, signature.inputs, components)
        paths.update(_paths(words, signature))
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def _output_schema(signature: Signature) -> Schema:
    # Trainings say "Output" too.
    return {"title": "Output", **type_schema(signature.output)}


def _request_schema(words: _Words) -> Schema:
    return {
        "title": words.component("Request"),
        "type": "object",
        "properties": {
            "id": {"title": "Id", "type": "string"},
            "input": _reference(words.component("Input")),
        },
    }


def _response_schema(words: _Words) -> Schema:
    properties: Schema = {
        "input": _reference(words.component("Input")),
        "output": _reference(words.component("Output")),
        "id": {"title": "Id", "type": "string"},
        "version": {"title": "Version", "type": "string"},
    }
    for name in ("created_at", "started_at", "completed_at"):
        title = name.replace("_", " ").title()
        properties[name] = {"title": title, "type": "string", "format": "date-time"}
    properties["status"] = _reference("Status")
    properties["error"] = {"title": "Error", "type": "string"}
    properties["logs"] = {"title": "Logs", "type": "string", "default": ""}
    properties["metrics"] = {"title": "Metrics", "type": "object"}
    return {"title": words.component("Response"), "type": "object", "properties": properties}


def _paths(words: _Words, signature: Signature) -> Schema:
    operation: Schema = {
        "summary": words.verb.capitalize(),
        "description": f"Run a single {words.noun} on the model",
        "operationId": f"{words.verb}_{words.plural}_post",
        "requestBody": {"content": _json(_reference(words.component("Request")))},
        "responses": _responses(_reference(words.component("Response"))),
    }
    if signature.streaming:
        operation["x-cog-streaming"] = True
    parameter = f"{words.noun}_id"
    cancel: Schema = {
        "summary": "Cancel",
        "description": f"Cancel a running {words.noun}",
        "operationId": f"cancel_{words.plural}__{parameter}__cancel_post",
        "parameters": [
            {
                "name": parameter,
                "in": "path",
                "required": True,
                "schema": {"title": f"{words.noun.capitalize()} ID", "type": "string"},
            }
        ],
        "responses": _responses({}),
    }
    return {
        f"/{words.plural}": {"post": operation},
        f"/{words.plural}/{{{parameter}}}/cancel": {"post": cancel},
    }


def _responses(schema: Schema) -> Schema:
    return {
        "200": {"description": "Successful Response", "content": _json(schema)},
        "422": {
            "description": "Validation Error",
            "content": _json(_reference("HTTPValidationError")),
        },
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> Schema:
    return {"$ref": REFERENCE + name}


def _plain_get(summary: str, operation_id: str) -> Schema:
    response = {"description": "Successful Response", "content": _json({})}
    return {
        "get": {
            "summary": summary,
            "operationId": operation_id,
            "responses": {"200": response},
        }
    }


_COMMON_PATHS: Schema = {
    "/": _plain_get("Root", "root__get"),
    "/health-check": _plain_get("Healthcheck", "healthcheck_health_check_get"),
}

_COMMON_COMPONENTS: dict[str, Schema] = {
    "Status": {
        "title": "Status",
        "description": "An enumeration.",
        "enum": list(STATUSES),
        "type": "string",
    },
    "HTTPValidationError": {
        "title": "HTTPValidationError",
        "type": "object",
        "properties": {
            "detail": {
                "title": "Detail",
                "type": "array",
                "items": _reference("ValidationError"),
            }
        },
    },
    "ValidationError": {
        "title": "ValidationError",
        "required": ["loc", "msg", "type"],
        "type": "object",
        "properties": {
            "loc": {
                "title": "Location",
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            },
            "msg": {"title": "Message", "type": "string"},
            "type": {"title": "Error Type", "type": "string"},
        },
    },
}
