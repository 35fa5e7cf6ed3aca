"""``Literal[...]`` and enums, whose values are JSON scalars."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Optional

from cog._schema.hints import Choice, Foreign, Hint, Known, union
from cog._schema.kinds import is_finite

_SCALARS = (bool, int, float, str)


def literal(values: Sequence[Any], text: str, where: Any = None) -> Hint:
    """Return the hint for ``Literal[values]``; None among them makes it optional.

    Args:
        values: as the author's code has them, members of enums among them.
        text: the annotation.
        where: what the front end needs to point at it.
    """
    objects = [value for value in values if value is not None]
    hints: list[Hint] = [Known("None")] if len(objects) < len(values) else []
    if objects:
        hints.insert(0, _choice("", objects, text, where))
    return union(hints, where) if hints else Foreign(text, "", "", where)


def enumeration(cls: type[enum.Enum]) -> Hint:
    """Return the hint for an enum."""
    return _choice(cls.__name__, list(cls), cls.__name__, None)


def enum_choice(name: str, values: Sequence[Any], where: Any = None) -> Hint:
    """Return the hint for an enum of which the values are known, not the members."""
    return _choice(name, list(values), name, where)


def _choice(name: str, objects: list[Any], text: str, where: Any) -> Hint:
    values = [_scalar(item) for item in objects]
    for value, item in zip(values, objects):
        if value is None or not is_finite(value):
            problem = f"{text}: {_shown(item)} is not a string, a number or a boolean"
            return Foreign(text, problem, "Clients send values as JSON.", where)
    if not values:
        return Foreign(text, f"{text} has no members", "", where)
    return Choice(tuple(values), name, tuple(objects), where)


def _scalar(item: Any) -> Optional[Any]:
    value = item.value if isinstance(item, enum.Enum) else item
    for kind in _SCALARS:
        # A member's value may be of a subclass; JSON has the base only.
        if isinstance(value, kind):
            return value if type(value) is kind else kind(value)
    return None


def _shown(item: Any) -> str:
    return repr(item.value if isinstance(item, enum.Enum) else item)
