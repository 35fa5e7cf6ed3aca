"""Checks inputs against a model's schema before anything is started, in sentences for people.

The server checks again, against the same document; this is what makes a mistyped input cost
a fraction of a second instead of a model's setup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from cogworks.cli.errors import quote
from cogworks.cli.input_schema import InputSchema, Schema
from cogworks.cli.json_values import is_array, is_object
from cogworks.server.json_schema import EXPECTED, FORMATS

FILE_SCHEMES = ("http://", "https://", "data:")
INT64_MIN = -(2**63)
UINT64_MAX = 2**64 - 1
"""JSON numbers beyond 64 bits are not carried by the server's encoder, nor by most readers."""

# A bool is an int to Python, so it comes first.
TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def name_problems(names: Iterable[str], schema: InputSchema) -> list[str]:
    """Return a sentence for the unknown names and one for each name that is missing."""
    given = list(dict.fromkeys(names))
    problems = list(_unknown([name for name in given if name not in schema.properties], schema))
    missing = [name for name in schema.properties if name in schema.required and name not in given]
    return problems + [f'missing required input "{name}"' for name in missing]


def value_problems(values: Mapping[str, Any], schema: InputSchema) -> list[str]:
    """Return a sentence for each value that the model would not take."""
    return [
        f'invalid input "{name}": {problem}'
        for name, value in values.items()
        for problem in find_problems(value, schema.properties[name], schema)
    ]


def find_problems(value: Any, schema: Schema, context: InputSchema) -> list[str]:
    """Return what is wrong with one value, empty if nothing is."""
    alternatives = context.alternatives(schema)
    if value is None:
        if any("type" not in part or part.get("nullable") is True for part in alternatives):
            return []
        return ["must not be null (omit the input to use its default)"]
    fitting = [part for part in alternatives if _has_type(value, part.get("type"))]
    if not fitting:
        names = " or ".join(dict.fromkeys(str(part["type"]) for part in alternatives))
        return [f"expected {names}, got {type_name(value)}"]
    found = [list(_violations(value, part, context)) for part in fitting]
    return min(found, key=len)


def type_name(value: Any) -> str:
    """Return the name that JSON has for the type of a value."""
    for kind, name in TYPE_NAMES:
        if isinstance(value, kind):
            return name
    return "null"


def _unknown(names: list[str], schema: InputSchema) -> Iterator[str]:
    if not names:
        return
    listed = ", ".join(f'"{name}"' for name in names)
    if schema.properties:
        hint = f"valid inputs are: {', '.join(schema.properties)}"
    else:
        hint = "model does not accept inputs"
    yield f"unknown input{'s' if len(names) > 1 else ''} {listed}; {hint}"


def _has_type(value: Any, kind: str | None) -> bool:
    name = type_name(value)
    return kind is None or name == kind or (kind == "number" and name == "integer")


def _violations(value: Any, schema: Schema, context: InputSchema) -> Iterator[str]:
    choices = cast("list[Any] | None", schema.get("enum"))
    if choices is not None and value not in choices:
        yield f"must be one of: {', '.join(map(str, choices))}"
    elif isinstance(value, str):
        yield from _text_violations(value, schema)
    elif isinstance(value, (int, float)):
        yield from _number_violations(value, schema)
    elif is_array(value):
        yield from _array_violations(value, schema, context)
    elif is_object(value):
        yield from _object_violations(value, schema, context)


def _text_violations(text: str, schema: Schema) -> Iterator[str]:
    if not _is_unicode(text):
        yield "must be valid Unicode text"
        return
    if schema.get("format") == "uri":
        if not text.lower().startswith(FILE_SCHEMES):
            yield (
                f"must be a file or a URL, got {quote(text)}; "
                f"write @ in front of the path to send a file"
            )
        return
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if shortest is not None and len(text) < shortest:
        yield f"must have at least {shortest} characters, got {len(text)}"
    if longest is not None and len(text) > longest:
        yield f"must have at most {longest} characters, got {len(text)}"
    form = schema.get("format")
    if form in FORMATS and not FORMATS[form](text):
        yield f"must be {EXPECTED[form]}"
    pattern = schema.get("pattern")
    if pattern is not None and not _matches(pattern, text):
        yield f"must match the pattern {pattern}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # A lone surrogate, from JSON or from undecodable arguments.
        return False
    return True


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # Not of Python's dialect: the server decides.
        return True


def _number_violations(number: float, schema: Schema) -> Iterator[str]:
    if isinstance(number, int) and not INT64_MIN <= number <= UINT64_MAX:
        yield "must fit in 64 bits"
        return
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is not None and number < lowest:
        yield f"must be >= {lowest}, got {number}"
    if highest is not None and number > highest:
        yield f"must be <= {highest}, got {number}"


def _array_violations(items: list[Any], schema: Schema, context: InputSchema) -> Iterator[str]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(items) < least:
        yield f"must have at least {least} items, got {len(items)}"
    if most is not None and len(items) > most:
        yield f"must have at most {most} items, got {len(items)}"
    if schema.get("uniqueItems") is True and _has_twins(items):
        yield "must not hold the same item twice"
    # Of a tuple, each place has a type of its own; what comes after them is too much already.
    places = cast(
        "list[Schema]", schema.get("x-cog-items") or [schema.get("items", {})] * len(items)
    )
    for index, (item, part) in enumerate(zip(items, places, strict=False)):
        for problem in find_problems(item, part, context):
            yield f"item {index}: {problem}"


def _has_twins(items: list[Any]) -> bool:
    """JSON tells 1 from true, Python does not; 1 and 1.0 are the same number in both."""
    texts = [json.dumps(_as_number(item), sort_keys=True) for item in items]
    return len(set(texts)) < len(texts)


def _as_number(item: Any) -> Any:
    return int(item) if isinstance(item, float) and item.is_integer() else item


def _object_violations(
    values: dict[str, Any], schema: Schema, context: InputSchema
) -> Iterator[str]:
    properties = cast(Mapping[str, Schema], schema.get("properties", {}))
    for name in cast("list[str]", schema.get("required", [])):
        if name not in values:
            yield f'missing key "{name}"'
    rest = schema.get("additionalProperties", True)
    for name, value in values.items():
        if not _is_unicode(name):
            yield "keys must be valid Unicode text"
            continue
        if rest is False and name not in properties:
            yield f'unknown key "{name}"'
            continue
        # `true` stands for a schema that allows anything, and so does an empty one.
        part = properties.get(name, cast(Schema, rest) if is_object(rest) else {})
        for problem in find_problems(value, part, context):
            yield f'key "{name}": {problem}'
