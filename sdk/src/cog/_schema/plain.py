"""JSON data for values of which no type is declared.

Classes are recognised by what they offer (``tolist``, ``model_dump``, ``isoformat``): what a
model does not use is never imported.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import os
from collections import deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from typing import Any, Callable, Optional

from cog._schema.kinds import is_dict, kind_of

OnFile = Callable[[Any], Any]

MASK = "**********"
NOT_JSON = "cannot be written as JSON"


class Unfit(Exception):
    """A value that JSON cannot hold; on its way up it collects where the value was."""

    def __init__(self, reason: str) -> None:
        """Say what is wrong with the value itself."""
        super().__init__(reason)
        self.reason = reason
        self._steps: list[str] = []

    def within(self, step: str) -> Unfit:
        """Add a step, innermost first: ``.name`` or ``[index]``."""
        self._steps.append(step)
        return self

    def place(self, root: str) -> str:
        """Return ``output.items[3]``."""
        return root + "".join(reversed(self._steps))


def is_url(text: str) -> bool:
    """Tell whether a string for a file is a URL, which clients fetch themselves."""
    return text[:8].lower().startswith(("http://", "https://", "data:"))


def encode_any(value: Any, on_file: OnFile) -> Any:
    """Return JSON data for any value.

    Raises:
        Unfit: JSON cannot hold it.
    """
    kind = kind_of(value)
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if kind is float:
        return _float(value)
    if kind is list or kind is tuple:
        return _items(value, on_file)
    if kind is dict:
        return _entries(value, on_file)
    return _other(value, on_file)


def fields_of(value: Any) -> Optional[dict[str, Any]]:
    """Return the fields of a dataclass, BaseModel, pydantic model or mapping; None for others."""
    kind = kind_of(value)
    if is_dict(value):
        return {encode_key(key): item for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if hasattr(kind, "model_dump"):  # pydantic 2
        return _dumped(value.model_dump())
    if hasattr(kind, "__fields__") and hasattr(kind, "dict"):  # pydantic 1
        return _dumped(value.dict())
    if hasattr(kind, "__cog_auto_dataclass__"):
        return _dumped(dict(value.__dict__))
    if issubclass(kind, Mapping):
        return {encode_key(key): value[key] for key in value}
    return None


def _dumped(fields: dict[str, Any]) -> dict[str, Any]:
    return fields


def _float(value: float) -> float:
    if math.isfinite(value):
        return value
    raise Unfit(f"{value} {NOT_JSON}; return None, or a string")


def _items(values: Any, on_file: OnFile) -> list[Any]:
    result: list[Any] = []
    for value in values:
        try:
            result.append(encode_any(value, on_file))
        except Unfit as unfit:
            raise unfit.within(f"[{len(result)}]") from None
    return result


def _entries(values: dict[Any, Any], on_file: OnFile) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        name = key if type(key) is str else encode_key(key)
        try:
            result[name] = encode_any(value, on_file)
        except Unfit as unfit:
            raise unfit.within(f".{name}") from None
    return result


def _other(value: Any, on_file: OnFile) -> Any:
    if isinstance(value, enum.Enum):
        return encode_any(value.value, on_file)
    if isinstance(value, (str, int, float)):
        return _plain_scalar(value)
    if isinstance(value, os.PathLike) or callable(getattr(value, "read", None)):
        return on_file(value)
    if hasattr(value, "get_secret_value"):
        return MASK
    if callable(getattr(value, "isoformat", None)):  # dates and times
        return encode_any(value.isoformat(), on_file)
    if kind_of(value).__module__ == "uuid":
        return str(value)
    fields = fields_of(value)
    if fields is not None:
        return _entries(fields, on_file)
    if hasattr(value, "tolist"):  # numpy arrays and scalars, tensors
        return encode_any(value.tolist(), on_file)
    if is_array(value):
        return _items(value, on_file)
    advice = "; write it to a file and return its Path" if _is_bytes(value) else ""
    raise Unfit(f"a value of type {type(value).__name__} {NOT_JSON}{advice}")


def _plain_scalar(value: Any) -> Any:
    """Return a value of a subclass of str, int or float (numpy's float64 is one) as the base."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else _float(float(value))


def encode_key(key: Any) -> str:
    """Return a key of a dict as JSON has it.

    Raises:
        Unfit: JSON has no such keys.
    """
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (int, float)):
        return str(key)
    raise Unfit(f"a key of type {type(key).__name__} {NOT_JSON}")


def is_array(value: Any) -> bool:
    """Tell whether a value is an array to JSON."""
    return isinstance(value, (list, tuple, range, deque, Set, Iterator, ValuesView))


def _is_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))
