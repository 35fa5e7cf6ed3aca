"""Comprehensions over constants."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from cogworks.schema.values import Unknown, iterate

Local = Mapping[str, Any]
"""Values of names that only exist inside a comprehension or a call."""

Fold = Callable[[ast.expr, Local], Any]


def comprehend(
    fold: Fold, generators: list[ast.comprehension], parts: list[ast.expr], local: Local
) -> list[tuple[Any, ...]]:
    """Return the values of ``parts`` for every round of the loops.

    Raises:
        Unknown: what is looped over is not known, or has no order.
    """
    if not generators:
        return [tuple(fold(part, local) for part in parts)]
    first, *rest = generators
    if first.is_async:
        raise Unknown.here("an asynchronous comprehension is not a constant")
    result: list[tuple[Any, ...]] = []
    for item in iterate(fold(first.iter, local)):
        inner = {**local, **_unpack(first.target, item)}
        if all(fold(test, inner) for test in first.ifs):
            result += comprehend(fold, rest, parts, inner)
    return result


def _unpack(target: ast.expr, value: Any) -> dict[str, Any]:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, (ast.Tuple, ast.List)):
        raise Unknown.here("the target of the comprehension is no name")
    parts = list(iterate(value))
    if len(parts) != len(target.elts):
        raise Unknown.here("the items of the comprehension cannot be unpacked")
    unpacked: dict[str, Any] = {}
    for element, part in zip(target.elts, parts, strict=True):
        unpacked.update(_unpack(element, part))
    return unpacked
