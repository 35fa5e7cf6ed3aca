"""Tell the containers of untyped data apart, for people and for type checkers.

``isinstance`` alone leaves a checker with containers of unknown items.
"""

from __future__ import annotations

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


def kind_of(value: Any) -> type[Any]:
    """Return the class of a value."""
    # pyright takes the class of an unknown value for unknown, mypy for known.
    return type(value)  # pyright: ignore[reportUnknownVariableType]
