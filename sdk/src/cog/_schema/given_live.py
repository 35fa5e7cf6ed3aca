"""What an author gave an input, read from the ``FieldInfo`` that ``Input(...)`` makes."""

from __future__ import annotations

import enum
from typing import Any

from cog._schema.defaults import json_default
from cog._schema.errors import SignatureError
from cog._schema.given import Given
from cog._schema.types import COMPUTED, MISSING
from cog.input import FieldInfo

PLAIN_FACTORIES: tuple[Any, ...] = (bool, int, float, str, list, dict)
"""Factories whose result is known to source text too; it is shown as the default."""


def given_by(name: str, info: Any, default: Any) -> Given:
    """Return what ``info`` says, and the plain ``default`` beside it, if any.

    Raises:
        SignatureError: the default or a choice is no JSON.
    """
    if not isinstance(info, FieldInfo):
        return Given(_json(name, default))
    factory: Any = None  # Stays if there is a plain default beside ``Annotated[T, Input(...)]``.
    if info is default or default is MISSING:
        default, factory = info.default, info.default_factory
    if factory in PLAIN_FACTORIES:
        default = factory()
        factory = None
    if factory is not None:
        default = COMPUTED
    choices = None
    if info.choices is not None:
        choices = tuple(_json(name, choice) for choice in info.choices)
    return Given(
        _json(name, default),
        _value(info.description),
        _value(info.ge),
        _value(info.le),
        _value(info.min_length),
        _value(info.max_length),
        _value(info.regex),
        choices,
        _value(info.deprecated),
        _value(info.accept),
        factory,
    )


def _value(argument: Any) -> Any:
    """Members of enums may be limits, too."""
    return argument.value if isinstance(argument, enum.Enum) else argument


def _json(name: str, value: Any) -> Any:
    if value is MISSING or value is COMPUTED:
        return value
    try:
        return json_default(value)
    except ValueError as error:
        raise SignatureError(f"{name}: invalid default or choice: {error}") from None
