"""Check the inputs of a request against the model's OpenAPI document, compiled once."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from cogworks.server.form_values import FormSchema
from cogworks.server.input_problems import list_problems
from cogworks.server.json_schema import FORMATS, to_json_schema
from cogworks.server.redaction import Redact, find_redaction

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
        self._secrets: dict[str, Redact] = {}
        self.form = FormSchema((schema or {}).get("properties", {}), components)
        if schema is None:
            return
        properties: dict[str, Any] = schema.get("properties", {})
        self._properties = properties
        found = {name: find_redaction(item) for name, item in properties.items()}
        self._secrets = {name: redact for name, redact in found.items() if redact is not None}
        rewritten = {name: to_json_schema(item) for name, item in components.items()}
        whole = {**to_json_schema(schema), "components": {"schemas": rewritten}}
        self._validator = jsonschema_rs.Draft202012Validator(
            whole, validate_formats=True, formats=FORMATS, mask="the value"
        )

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
        return list_problems(list(self._validator.iter_errors(values)))

    def has_secrets(self, values: dict[str, Any]) -> bool:
        """Tell whether any of the inputs is a secret."""
        return not self._secrets.keys().isdisjoint(values)

    def redact(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs with secrets made unreadable."""
        if self._secrets.keys().isdisjoint(values):
            return values
        return {
            name: self._secrets[name](value) if name in self._secrets else value
            for name, value in values.items()
        }
