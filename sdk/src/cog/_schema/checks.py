"""The constraints of an input as functions: the rules of ``Input(ge=..., regex=..., ...)``."""

from __future__ import annotations

import re
from typing import Any, Callable

from cog._schema.types import InputField

Check = Callable[[Any], None]
"""Raises ValueError, with a message that names no input, if a value breaks the rule."""


def compile_checks(field: InputField) -> list[Check]:
    """Return a check for each constraint of the input."""
    checks: list[Check] = []
    if field.ge is not None:
        checks.append(_at_least(field.ge))
    if field.le is not None:
        checks.append(_at_most(field.le))
    if field.min_length is not None:
        checks.append(_not_shorter(field.min_length))
    if field.max_length is not None:
        checks.append(_not_longer(field.max_length))
    if field.regex is not None:
        checks.append(_matching(field.regex))
    if field.choices is not None:
        checks.append(_one_of(field.choices))
    return checks


def _at_least(bound: float) -> Check:
    def check(value: Any) -> None:
        if value < bound:
            raise ValueError(f"must be >= {bound}, got {value}")

    return check


def _at_most(bound: float) -> Check:
    def check(value: Any) -> None:
        if value > bound:
            raise ValueError(f"must be <= {bound}, got {value}")

    return check


def _not_shorter(length: int) -> Check:
    def check(value: Any) -> None:
        if len(value) < length:
            raise ValueError(f"must have at least {length} characters, got {len(value)}")

    return check


def _not_longer(length: int) -> Check:
    def check(value: Any) -> None:
        if len(value) > length:
            raise ValueError(f"must have at most {length} characters, got {len(value)}")

    return check


def _matching(regex: str) -> Check:
    # Anywhere in the text, as the ``pattern`` of the OpenAPI document does.
    search = re.compile(regex).search

    def check(value: Any) -> None:
        if not search(value):
            raise ValueError(f"must match the pattern {regex!r}")

    return check


def _one_of(choices: tuple[Any, ...]) -> Check:
    names = ", ".join(str(choice) for choice in choices)

    def check(value: Any) -> None:
        if value not in choices:
            raise ValueError(f"must be one of: {names}")

    return check
