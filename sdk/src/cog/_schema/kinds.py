"""Tell the containers of untyped data apart, for people and for type checkers.

``isinstance`` alone leaves a checker with containers of unknown items.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from typing_extensions import TypeGuard


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Tell whether it is a list."""
    return isinstance(value, list)


def is_series(value: Any) -> TypeGuard[Union[list[Any], tuple[Any, ...]]]:
    """Tell whether it is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_dict(value: Any) -> TypeGuard[dict[Any, Any]]:
    """Tell whether it is a dict."""
    return isinstance(value, dict)


def is_finite(value: Any) -> bool:
    """Tell whether a value has no number in it that JSON has no word for: NaN or an infinity."""
    if isinstance(value, float):
        return math.isfinite(value)
    if is_dict(value):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if is_series(value) else True


def kind_of(value: Any) -> type[Any]:
    """Return the class of a value."""
    # pyright takes the class of an unknown value for unknown, mypy for known.
    return type(value)  # pyright: ignore[reportUnknownVariableType]
