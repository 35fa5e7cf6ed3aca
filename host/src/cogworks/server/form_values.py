"""From the texts of a form or a query to the JSON values that the model's schema asks for.

A text that fits no type stays a text, so that validation says what was expected.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from cog._schema.kinds import is_dict, is_list

INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MAX_NUMBER_CHARACTERS = 400
"""More than any 64-bit number has; Python takes long to read very long ones."""

TRUE = frozenset({"true", "1", "on", "yes"})  # A checked box of a form sends "on".
FALSE = frozenset({"false", "0", "off", "no"})

MAX_REFERENCES = 8
"""How far references of a document are followed; ours have one."""

Schema = dict[str, Any]


class FormSchema:
    """The inputs of a model, as far as a form must know them."""

    def __init__(self, properties: dict[str, Schema], components: dict[str, Schema]) -> None:
        """Look at the input component's ``properties``; ``components`` resolve their references."""
        self._components = components
        self._properties = {
            name: self._resolve(schema)
            for name, schema in sorted(
                properties.items(), key=lambda item: item[1].get("x-order", len(properties))
            )
        }

    def __contains__(self, name: str) -> bool:
        """Tell whether the model has this input."""
        return name in self._properties

    @property
    def file_names(self) -> list[str]:
        """Return the inputs that are files or lists of files, in the author's order."""
        return [name for name in self._properties if self.is_file(name)]

    def is_file(self, name: str) -> bool:
        """Tell whether an input is a file or a list of files."""
        schema = self._properties.get(name, {})
        return _is_file(self._items(schema) if self.is_list(name) else schema)

    def is_list(self, name: str) -> bool:
        """Tell whether an input is a list."""
        return self._properties.get(name, {}).get("type") == "array"

    def value(self, name: str, texts: list[str]) -> Any:
        """Return the value of an input that was given as one text or, repeated, as several."""
        schema = self._properties[name]
        if not self.is_list(name):
            return self._scalar(texts[-1], schema)
        if len(texts) == 1 and texts[0].lstrip().startswith("["):
            whole = _decode(texts[0])
            if is_list(whole):
                return whole
        return [self._scalar(text, self._items(schema)) for text in texts]

    def is_none(self, name: str, texts: list[str]) -> bool:
        """Tell whether a field was left empty that is no text: an empty box of a form sends that."""
        is_text = self._properties[name].get("type") == "string" and not self.is_file(name)
        return texts == [""] and not is_text

    def _scalar(self, text: str, schema: Schema) -> Any:
        members: list[Schema] = schema.get("anyOf", [])
        for member in members:
            value = self._scalar(text, self._resolve(member))
            if not isinstance(value, str):
                return value
        match schema.get("type"):
            case "integer" if INTEGER.fullmatch(text):
                return int(text)
            case "number" if len(text) <= MAX_NUMBER_CHARACTERS and NUMBER.fullmatch(text):
                number = float(text)
                return number if math.isfinite(number) else text
            case "boolean" if text.lower() in TRUE | FALSE:
                return text.lower() in TRUE
            case "object" | "array":
                decoded = _decode(text)
                return text if decoded is None else decoded
            case _:
                return text

    def _items(self, schema: Schema) -> Schema:
        return self._resolve(schema.get("items", {}))

    def _resolve(self, schema: Schema) -> Schema:
        """Follow ``allOf`` and ``$ref``, as choices have them."""
        for _ in range(MAX_REFERENCES):
            if is_list(schema.get("allOf")):
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                schema = {**schema["allOf"][0], **rest}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._components.get(reference.rpartition("/")[2], {}), **rest}
        return schema


def _is_file(schema: Schema) -> bool:
    return schema.get("type") == "string" and schema.get("format") == "uri"


def _decode(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if is_dict(value) or is_list(value) else None
