"""Turns the text of `-i name=value` into the JSON value that the model's schema asks for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from cogworks.cli.input_schema import InputSchema, Schema
from cogworks.cli.json_values import is_array, is_object
from cogworks.cli.validation import find_problems

INTEGER = re.compile(r"[+-]?[0-9]+")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MAX_DIGITS = 400
"""More digits than any 64-bit number has; keeps a pasted novel from being read as a number."""

OBJECT_ONLY = frozenset({"object"})
MAX_NESTING = 100
"""Levels of arrays and objects; what walks over values later does so recursively."""


class NotJson(ValueError):
    """A text that must be JSON is not; the message says where it breaks."""


def coerce_text(text: str, schema: Schema, context: InputSchema) -> Any:
    """Return the value that a text stands for; the validator judges whether it fits.

    An array takes a JSON array, else one item. An object takes JSON. A scalar is read as a
    boolean, then as an integer, then as a number, and stays text where that does not fit.
    """
    kinds = context.kinds(schema)
    if "array" in kinds or "object" in kinds:
        structured = _find_structure(text)
        if is_array(structured) and "array" in kinds:
            return structured
        if is_object(structured) and "object" in kinds:
            return structured
        if kinds == OBJECT_ONLY:
            return parse_json(text)
        if "array" in kinds and "string" not in kinds:
            return [coerce_text(text, context.items(schema), context)]
    return _coerce_scalar(text, schema, context)


def parse_json(text: str) -> Any:
    """Return what the text holds as JSON, strictly.

    Raises:
        NotJson: it is malformed, nested too deeply, repeats a key, or has NaN or infinity.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_refuse_repeated_keys,
            parse_constant=_refuse_constant,
            parse_float=_parse_finite,
        )
        _refuse_depth(value, MAX_NESTING)
        return value
    except NotJson:
        raise
    except RecursionError as error:
        raise NotJson("is nested too deeply") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise NotJson(f"is not valid JSON: {error.msg} ({place})") from error
    except ValueError as error:  # A number with more digits than Python reads.
        raise NotJson("has a number that does not fit in 64 bits") from error


def _coerce_scalar(text: str, schema: Schema, context: InputSchema) -> Any:
    candidates = list(_candidates(text, context.kinds(schema)))
    for candidate in candidates:
        if not find_problems(candidate, schema, context):
            return candidate
    # Nothing fits: the closest reading makes the clearest message.
    return text if "string" in context.kinds(schema) else candidates[0]


def _candidates(text: str, kinds: frozenset[str]) -> Iterator[Any]:
    if text in ("true", "false") and "boolean" in kinds:
        yield text == "true"
    if len(text) <= MAX_DIGITS:
        if INTEGER.fullmatch(text):
            yield int(text)
        if DECIMAL.fullmatch(text) and math.isfinite(float(text)):
            yield float(text)
    yield text


def _find_structure(text: str) -> Any:
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        return parse_json(text)
    except NotJson:
        return None


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise NotJson(f"has the key {key!r} twice")
        result[key] = value
    return result


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("has a number that does not fit in 64 bits")
    return number


def _refuse_depth(value: Any, left: int) -> None:
    if left == 0:
        raise NotJson(f"is nested more than {MAX_NESTING} levels deep")
    if is_array(value):
        for item in value:
            _refuse_depth(item, left - 1)
    elif is_object(value):
        for item in value.values():
            _refuse_depth(item, left - 1)


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"has {name}, which is not a JSON number")
