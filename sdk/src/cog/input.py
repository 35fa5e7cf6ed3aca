"""What an author says of one input of a model: ``Input(...)`` as the default of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Optional

from cog._schema.types import MISSING


@dataclass(frozen=True)
class FieldInfo:
    """One input as its author described it; ``Input()`` makes it.

    ``default`` is ``MISSING`` where there is none, for None is a default like any other.
    """

    default: Any = MISSING
    default_factory: Optional[Callable[[], Any]] = None
    description: Optional[str] = None
    ge: Optional[float] = None
    le: Optional[float] = None
    min_length: Optional[int] = None
    max_length: Optional[int] = None
    regex: Optional[str] = None
    choices: Optional[tuple[Any, ...]] = None
    deprecated: Optional[bool] = None
    accept: Optional[str] = None


def Input(  # noqa: N802 - the name that authors know, and it reads as a type in a signature
    default: Any = MISSING,
    *,
    default_factory: Optional[Callable[[], Any]] = None,
    description: Optional[str] = None,
    ge: Optional[float] = None,
    le: Optional[float] = None,
    min_length: Optional[int] = None,
    max_length: Optional[int] = None,
    regex: Optional[str] = None,
    choices: Optional[Iterable[Any]] = None,
    deprecated: Optional[bool] = None,
    accept: Optional[str] = None,
) -> Any:
    """Describe an input of ``run()``: its default, its limits, and what people read about it.

    It returns a ``FieldInfo``, typed ``Any`` so that it may be the default of any parameter.

    Args:
        default: used when the client sends none; without it the input is required. ``...`` is
            the same as no default.
        default_factory: called without arguments for a fresh default.
        ge: the smallest number allowed.
        le: the largest number allowed.
        min_length: of a string, in characters.
        max_length: of a string, in characters.
        regex: what a string must match.
        choices: the only values allowed, strings or integers.
        deprecated: shown to clients; nothing else changes.
        accept: for a file, what a file picker offers, such as ``image/*`` or ``.png,.jpg``.

    Raises:
        ValueError: both ``default`` and ``default_factory`` are given.
        TypeError: ``default_factory`` cannot be called, or ``choices`` is no series of values.
    """
    if default is Ellipsis:
        default = MISSING
    if default_factory is not None:
        if default is not MISSING:
            raise ValueError("Input() takes default or default_factory, not both")
        if not callable(default_factory):
            raise TypeError("Input(default_factory=...) must be callable without arguments")
    return FieldInfo(
        default=default,
        default_factory=default_factory,
        description=description,
        ge=ge,
        le=le,
        min_length=min_length,
        max_length=max_length,
        regex=regex,
        choices=None if choices is None else _checked_choices(choices),
        deprecated=deprecated,
        accept=accept,
    )


def _checked_choices(choices: Iterable[Any]) -> tuple[Any, ...]:
    """Take any series of values; a string is one by accident only."""
    if isinstance(choices, (str, bytes)):
        raise TypeError(f"Input(choices={choices!r}) must be a list of values")
    return tuple(choices)
