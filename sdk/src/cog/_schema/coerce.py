"""From the JSON values of a prediction to the keyword arguments of the author's method.

A signature is compiled once into closures, because this runs for every prediction. The server
has validated the values against the OpenAPI document before; this is the safety net, and it is
what fills defaults, makes floats of integers and wraps secrets. Values of files stay what they
are, URLs: the worker opens them afterwards, the defaults among them too. An object or a union that
has files inside is only checked here; it is made when they are open.
"""

from __future__ import annotations

import copy
from typing import Any, Callable

from cog._schema.checks import Check, compile_checks
from cog._schema.conversions import compile_checked, compile_type
from cog._schema.errors import InputError
from cog._schema.scalars import PYTHON_TYPES, Convert
from cog._schema.types import (
    COMPUTED,
    MISSING,
    FileType,
    InputField,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    Signature,
    Type,
    contains,
)

Coerce = Callable[[dict[str, Any]], dict[str, Any]]


def coerce_inputs(signature: Signature, values: dict[str, Any]) -> dict[str, Any]:
    """Coerce once; whoever does it repeatedly keeps the result of ``compile_coercer``."""
    return compile_coercer(signature)(values)


def compile_coercer(signature: Signature) -> Coerce:
    """Return a function from JSON values to keyword arguments, every input among them.

    The function raises InputError with all problems at once. Names that are no inputs are
    dropped; ``values`` is never changed, and mutable defaults are new for each call.
    """
    plan = [_plan(field) for field in signature.inputs]

    def coerce(values: dict[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        problems: list[tuple[str, str]] = []
        for name, exact, convert, default in plan:
            value = values.get(name, MISSING)
            if type(value) is exact:
                arguments[name] = value
                continue
            try:
                arguments[name] = default() if value is MISSING else convert(value)
            except ValueError as error:
                problems.append((name, str(error)))
        if problems:
            raise InputError(problems)
        return arguments

    return coerce


def has_inner_files(type_: Type) -> bool:
    """Tell whether a type has files elsewhere than as a whole or as the items of a list."""
    inner = type_
    while isinstance(inner, OptionalType) or (
        isinstance(inner, ListType) and inner.container == "list"
    ):
        inner = inner.item
    is_file = isinstance(inner, (PathType, FileType))
    return not is_file and contains(inner, PathType, FileType)


def _plan(field: InputField) -> tuple[str, Any, Convert, Callable[[], Any]]:
    """Return the input's name, the type whose values need nothing, conversion and default."""
    checks = compile_checks(field)
    convert = _compile_checked(field.type, checks)
    exact: Any = None
    if isinstance(field.type, Scalar) and not checks:
        exact = PYTHON_TYPES[field.type.name]
    return field.name, exact, convert, _compile_default(field, convert)


def _compile_default(field: InputField, convert: Convert) -> Callable[[], Any]:
    if field.default is COMPUTED and field.factory is not None:
        return field.factory
    if field.default is not MISSING:
        default = convert(field.default)
        is_mutable = isinstance(field.default, (list, dict))
        # Made anew and not copied, as the author's own objects may not be made for that.
        return (lambda: convert(copy.deepcopy(field.default))) if is_mutable else (lambda: default)
    if field.required:
        return _raise_required
    return lambda: None


def _raise_required() -> Any:
    raise ValueError("Field required")


def _checked_only(fits: Convert) -> Convert:
    def check(value: Any) -> Any:
        fits(value)
        return value

    return check


def _compile_checked(type_: Type, checks: list[Check]) -> Convert:
    """Compile a type whose innermost values (of a list: its items) are checked as well."""
    if has_inner_files(type_):
        return _checked_only(compile_type(type_, build=False))
    return compile_checked(type_, checks)
