"""What the page of a model shows of its inputs, read from the OpenAPI document; pure.

The document may be the author's own file, so nothing of its shape is taken for granted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cog._schema.kinds import is_dict, is_list

REFERENCE = "#/components/schemas/"

NO_DEFAULT: Any = object()
"""The input has no default, or one that the document keeps to itself."""

_COMPONENTS = {"run": ("Input",), "train": ("TrainingInput", "Input")}

_LIMITS = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("pattern", "matches {}"),
    ("x-cog-accept", "accepts {}"),
)


class Kind(StrEnum):
    """How an input is asked for."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"  # One of a few values, true and false included.
    SECRET = "secret"  # Text that is not shown.
    FILE = "file"  # A file of the user's, or a URL.
    FILES = "files"
    JSON = "json"  # Everything else.


@dataclass(frozen=True)
class InputView:
    """One input; ``type`` and ``limits`` are for people, ``example`` is a value that may be sent."""

    name: str
    kind: Kind
    type: str
    description: str
    is_required: bool
    is_deprecated: bool
    default: Any
    choices: tuple[Any, ...]
    limits: tuple[str, ...]
    schema: dict[str, Any]
    example: Any


def read_inputs(document: dict[str, Any], mode: str) -> list[InputView]:
    """Return the inputs of a mode, in the order of the model's signature."""
    components = _dict(_dict(document.get("components")).get("schemas"))
    names = (name for name in _COMPONENTS[mode] if name in components)
    component = _dict(components.get(next(names, "")))
    required = component.get("required")
    properties = [
        (str(name), _resolve(schema, components))
        for name, schema in _dict(component.get("properties")).items()
    ]
    properties.sort(key=lambda item: _order(item[1]))
    return [
        _view(name, schema, is_list(required) and name in required, components)
        for name, schema in properties
    ]


def _view(
    name: str, schema: dict[str, Any], is_required: bool, components: dict[str, Any]
) -> InputView:
    kind, choices = _kind(schema, components)
    default = schema.get("default", NO_DEFAULT)
    view = InputView(
        name=name,
        kind=kind,
        type=_type(schema, components),
        description=str(schema.get("description") or ""),
        is_required=is_required,
        is_deprecated=schema.get("deprecated") is True,
        default=NO_DEFAULT if kind is Kind.SECRET else default,
        choices=choices,
        limits=tuple(text.format(schema[key]) for key, text in _LIMITS if key in schema),
        schema=schema,
        example=None,
    )
    return replace(view, example=_example(view))


def _kind(schema: dict[str, Any], components: dict[str, Any]) -> tuple[Kind, tuple[Any, ...]]:
    choices = schema.get("enum")
    if is_list(choices):
        return Kind.CHOICE, tuple(choices)
    match schema.get("type"), schema.get("format"):
        case "boolean", _:
            return Kind.CHOICE, (True, False)
        case (("integer" | "number"), _):
            return Kind.NUMBER, ()
        case "string", "uri":
            return Kind.FILE, ()
        case "string", "password":
            return Kind.SECRET, ()
        case "string", _:
            return Kind.TEXT, ()
        case "array", _ if _is_file(_resolve(schema.get("items"), components)):
            return Kind.FILES, ()
        case _:
            return Kind.JSON, ()


def _type(schema: dict[str, Any], components: dict[str, Any]) -> str:
    """Name a type in a few words."""
    choices = schema.get("enum")
    members = schema.get("anyOf")
    if is_list(choices):
        text = "one of " + ", ".join(map(str, choices))
    elif is_list(members):
        text = " or ".join(_type(_resolve(item, components), components) for item in members)
    elif _is_file(schema):
        text = "file"
    elif schema.get("format") == "password":
        text = "secret"
    elif schema.get("type") == "array":
        text = f"list of {_type(_resolve(schema.get('items'), components), components)}"
    else:
        text = str(schema.get("type", "anything"))
    return f"{text}, may be null" if schema.get("nullable") is True else text


def _example(view: InputView) -> Any:
    if view.default not in (NO_DEFAULT, None):
        return view.default
    match view.kind:
        case Kind.CHOICE:
            return view.choices[0] if view.choices else None
        case Kind.NUMBER:
            return view.schema.get("minimum", view.schema.get("maximum", 1))
        case Kind.FILE:
            return "https://example.com/file"
        case Kind.FILES:
            return ["https://example.com/file"]
        case Kind.JSON:
            return [] if view.schema.get("type") == "array" else {}
        case _:
            return "text"


def _resolve(schema: Any, components: dict[str, Any]) -> dict[str, Any]:
    """Put what a reference names in its place; what stands beside the reference wins."""
    own = _dict(schema)
    all_of = own.get("allOf")
    named = own.get("$ref")
    if is_list(all_of) and all_of:
        named = _dict(all_of[0]).get("$ref", named)
    if not isinstance(named, str):
        return own
    target = _dict(components.get(named.removeprefix(REFERENCE)))
    hidden = ("title", "description")  # Of an enum: they say only that it is one.
    return {**{key: value for key, value in target.items() if key not in hidden}, **own}


def _is_file(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and schema.get("format") == "uri"


def _order(schema: dict[str, Any]) -> int:
    order = schema.get("x-order")
    return order if isinstance(order, int) else 0


def _dict(value: Any) -> dict[str, Any]:
    return value if is_dict(value) else {}
