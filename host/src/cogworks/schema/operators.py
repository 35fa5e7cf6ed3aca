"""The operators of constant expressions, with limits where a result could be huge."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from cog._schema.kinds import is_series
from cogworks.schema.values import MAX_BITS, MAX_LENGTH, Unknown, iterate

# As Any: the operators of the standard library are typed for their own operands only.
_OPERATOR: Any = operator

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _OPERATOR.add,
    ast.Sub: _OPERATOR.sub,
    ast.Mult: _OPERATOR.mul,
    ast.Div: _OPERATOR.truediv,
    ast.FloorDiv: _OPERATOR.floordiv,
    ast.Mod: _OPERATOR.mod,
    ast.Pow: _OPERATOR.pow,
    ast.LShift: _OPERATOR.lshift,
    ast.RShift: _OPERATOR.rshift,
    ast.BitAnd: _OPERATOR.and_,
    ast.BitOr: _OPERATOR.or_,
    ast.BitXor: _OPERATOR.xor,
}

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}

_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}

_WIDE = re.compile(r"\d{4}")
"""A width or precision that makes more of a value than anyone reads."""


def apply_binary(op: ast.operator, left: Any, right: Any) -> Any:
    """Return ``left op right``.

    Raises:
        Unknown: it is not a plain operation, or the result would be huge.
    """
    function = _BINARY.get(type(op))
    if function is None:
        raise Unknown.here("the operator is not supported")
    if isinstance(op, ast.Mult):
        _check_repetition(left, right)
    elif isinstance(op, (ast.Pow, ast.LShift)):
        _check_power(left, right)
    elif isinstance(op, ast.Mod) and isinstance(left, (str, bytes)):
        check_format(str(left))
    return function(left, right)


def apply_augmented(op: ast.operator, left: Any, right: Any) -> Any:
    """Return what ``left`` is after ``left op= right``."""
    if isinstance(op, ast.Add) and isinstance(left, list):
        right = list(iterate(right))
    return apply_binary(op, left, right)


def apply_unary(op: ast.unaryop, operand: Any) -> Any:
    """Return ``op operand``."""
    return _UNARY[type(op)](operand)


def apply_compare(op: ast.cmpop, left: Any, right: Any) -> bool:
    """Return whether ``left op right`` holds."""
    return bool(_COMPARE[type(op)](left, right))


def format_value(value: Any, conversion: int, spec: str) -> str:
    """Return what ``{value!r:spec}`` of an f-string gives."""
    check_format(spec)
    if conversion >= 0:
        value = _CONVERSIONS[chr(conversion)](value)
    return format(value, spec)


def check_format(spec: str) -> None:
    """Refuse formats that blow a value up.

    Raises:
        Unknown: there is a huge width, or one that the values themselves give.
    """
    if _WIDE.search(spec) or "*" in spec:
        raise Unknown.here("the format is too wide")


def _check_repetition(left: Any, right: Any) -> None:
    for series, count in ((left, right), (right, left)):
        if isinstance(count, int) and (isinstance(series, (str, bytes)) or is_series(series)):
            if len(series) * count > MAX_LENGTH:
                raise Unknown.here("the value is too large")
            return


def _check_power(left: Any, right: Any) -> None:
    if not (isinstance(left, int) and isinstance(right, int)):
        return
    if right > MAX_BITS or left.bit_length() * max(right, 0) > 2 * MAX_BITS:
        raise Unknown.here("the number is too large")
