"""A string that is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Optional

from cog.pydantic_hooks import plain_schema

_MASK = "**********"


class Secret:
    """A string, such as a token, that neither logs nor errors nor outputs show.

    ``str``, ``repr`` and ``format`` give asterisks; only ``get_secret_value()`` gives the
    string. It does not change, it is equal to a secret of the same value, and it cannot be
    pickled. It has no ``__dict__`` and no fields, so that dumping an object that holds one
    does not show it either.
    """

    __slots__ = ("_value",)
    __match_args__ = ("secret_value",)

    _value: Optional[str]

    def __init__(self, secret_value: Optional[str] = None) -> None:
        """Hide a string; None is a secret that was not given."""
        object.__setattr__(self, "_value", _checked(secret_value))

    @property
    def secret_value(self) -> Optional[str]:
        """The string itself."""
        return self._value

    def get_secret_value(self) -> Optional[str]:
        """Return the string itself."""
        return self._value

    def __str__(self) -> str:
        return "" if self._value is None else _MASK

    def __format__(self, format_spec: str) -> str:
        return format(str(self), format_spec)

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; pass on get_secret_value() on purpose")

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[Any], Secret]]:
        """Let pydantic 1 take this type as a field."""
        yield _validate

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic 2 take this type as a field."""
        return plain_schema(_validate)


def _validate(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _checked(value: object) -> Optional[str]:
    if value is None or isinstance(value, str):
        return value
    # The value itself stays out of the message.
    raise TypeError(f"a Secret holds a str or None, not {type(value).__name__}")
