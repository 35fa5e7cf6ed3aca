"""From a JSON scalar to what the author's method gets for it."""

from __future__ import annotations

import datetime
import uuid
from typing import Any, Callable

from cog._schema.kinds import kind_of

Convert = Callable[[Any], Any]
"""Returns the argument for a JSON value; raises ValueError with a message that names no input."""

PYTHON_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
"""By the name of a ``Scalar``."""


def mismatch(expected: str, value: Any) -> ValueError:
    """Return the error for a value of another JSON type."""
    # The value itself is not shown: it may be a secret, or very long.
    return ValueError(f"expected {expected}, got {json_name(value)}")


def json_name(value: Any) -> str:
    """Return the name that JSON has for the type of a value."""
    return _JSON_NAMES.get(kind_of(value), kind_of(value).__name__)


_JSON_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise mismatch("boolean", value)


def _int(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise mismatch("integer", value)


def _float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise mismatch("number", value)
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def _str(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise mismatch("string", value)


SCALARS: dict[str, Convert] = {"bool": _bool, "int": _int, "float": _float, "str": _str}
"""By the name of a ``Scalar``."""


def _datetime(value: str) -> Any:
    # Python 3.11 is the first to know that Z is an offset.
    return datetime.datetime.fromisoformat(value[:-1] + "+00:00" if value[-1:] in "Zz" else value)


TEXTS: dict[str, tuple[Convert, str]] = {
    "datetime": (_datetime, "a date and time, such as 2024-05-17T09:30:00+00:00"),
    "date": (datetime.date.fromisoformat, "a date, such as 2024-05-17"),
    "time": (datetime.time.fromisoformat, "a time, such as 09:30:00"),
    "UUID": (uuid.UUID, "a UUID, such as 6f2b1d0a-3c1e-4b6a-9a77-0d5e0e3c9f11"),
}
"""By the name of a ``TextType``: what reads such a text, and what it must be."""


def text_of(name: str) -> Convert:
    """Return the conversion of a ``TextType``."""
    read, expected = TEXTS[name]

    def convert_text(value: Any) -> Any:
        text = _str(value)
        try:
            return read(text)
        except ValueError:
            raise ValueError(f"must be {expected}") from None

    return convert_text


def choice_of(values: tuple[Any, ...], objects: tuple[Any, ...]) -> Convert:
    """Return the conversion to the object that stands where the value does."""
    found = {_key(value): item for value, item in zip(values, objects or values)}
    names = ", ".join(map(str, values))

    def convert_choice(value: Any) -> Any:
        try:
            return found[_key(value)]
        except (KeyError, TypeError):
            raise ValueError(f"must be one of: {names}") from None

    return convert_choice


def _key(value: Any) -> Any:
    """True is 1 to Python, but not to JSON."""
    return (isinstance(value, bool), value)
