"""From defaults and choices, as the author's code has them, to JSON data."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import uuid
from typing import Any, Optional

from cog._schema.kinds import is_dict, is_series, kind_of
from cog._schema.plain import fields_of

_TEXTS = (datetime.datetime, datetime.date, datetime.time)


def json_default(value: Any) -> Any:
    """Return JSON data: paths and secrets as strings, enum members as values, objects as fields.

    Raises:
        ValueError: there is no JSON for it.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, enum.Enum):
        return json_default(value.value)
    if is_series(value):
        return [json_default(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return _sorted(value)
    if is_dict(value) and all(isinstance(key, str) for key in value):
        return {str(key): json_default(item) for key, item in value.items()}
    for attribute in ("__fspath__", "get_secret_value"):
        if hasattr(kind_of(value), attribute):
            return getattr(value, attribute)()
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, _TEXTS):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return _json_fields(value)


def _sorted(values: Any) -> list[Any]:
    """The order of a set differs from one run to the next; the document must not."""
    items = [json_default(item) for item in values]
    return sorted(items, key=lambda item: (type(item).__name__, item))


def _json_fields(value: Any) -> dict[str, Any]:
    fields = _fields(value)
    if fields is None:
        text = repr(value)
        shown = text if len(text) <= 80 else text[:79] + "…"
        raise ValueError(f"{shown} is not JSON")
    return {name: json_default(item) for name, item in fields.items()}


def _fields(value: Any) -> Optional[dict[str, Any]]:
    """Return what would make the same object again."""
    if isinstance(value, (type, dict)):
        return None
    if dataclasses.is_dataclass(value):
        return {
            item.name: getattr(value, item.name) for item in dataclasses.fields(value) if item.init
        }
    return fields_of(value)
