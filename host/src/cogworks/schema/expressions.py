"""Constant expressions that are made of other expressions: displays, operators, f-strings.

Everything but names and calls, which ``literals`` knows; it folds the parts, through ``fold``.
"""

from __future__ import annotations

import ast
from typing import Any

from cogworks.schema.bindings import Augmented, Part
from cogworks.schema.comprehensions import Fold, Local, comprehend
from cogworks.schema.operators import (
    apply_augmented,
    apply_binary,
    apply_compare,
    apply_unary,
    format_value,
)
from cogworks.schema.values import Unfolded, Unknown, iterate


def fold_expression(node: ast.expr, fold: Fold, local: Local) -> Any:
    """Return the value of an expression whose parts ``fold`` knows.

    Raises:
        Unknown: it is no constant.
    """
    match node:
        case ast.Constant():
            return node.value
        case ast.List():
            return fold_items(node.elts, fold, local)
        case ast.Tuple():
            return tuple(fold_items(node.elts, fold, local))
        case ast.Set():
            return frozenset(fold_items(node.elts, fold, local))
        case ast.Dict():
            return _fold_dict(node, fold, local)
        case ast.JoinedStr():
            return "".join(str(fold(part, local)) for part in node.values)
        case ast.FormattedValue():
            spec = fold(node.format_spec, local) if node.format_spec else ""
            return format_value(fold(node.value, local), node.conversion, spec)
        case ast.Subscript():
            return fold(node.value, local)[_fold_index(node.slice, fold, local)]
        case _:
            return _fold_operation(node, fold, local)


def fold_items(nodes: list[ast.expr], fold: Fold, local: Local) -> list[Any]:
    """Return the values of the items of a display or of a call."""
    items: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items += iterate(fold(node.value, local))
        else:
            items.append(fold(node, local))
    return items


def take_part(value: Any, part: Part) -> Any:
    """Return one item of a value that is unpacked to several names.

    Raises:
        Unknown: it has another number of items.
    """
    items = list(iterate(value))
    if part.star < 0:
        if len(items) != part.count:
            raise Unknown.here("the value has another number of items than there are names")
        return items[part.index]
    after = part.count - 1 - part.star
    if len(items) < part.count - 1:
        raise Unknown.here("the value has fewer items than there are names")
    if part.index < part.star:
        return items[part.index]
    if part.index == part.star:
        return items[part.star : len(items) - after]
    return items[part.index - part.count]


def _fold_operation(node: ast.expr, fold: Fold, local: Local) -> Any:
    match node:
        case ast.UnaryOp():
            return apply_unary(node.op, fold(node.operand, local))
        case Augmented():
            left = fold(node.left, local)
            return apply_augmented(node.op, left, fold(node.right, local))
        case ast.BinOp():
            return apply_binary(node.op, fold(node.left, local), fold(node.right, local))
        case ast.BoolOp():
            return _fold_bool(node, fold, local)
        case ast.Compare():
            return _fold_compare(node, fold, local)
        case ast.IfExp():
            return fold(node.body if fold(node.test, local) else node.orelse, local)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            items = [item for (item,) in comprehend(fold, node.generators, [node.elt], local)]
            return frozenset(items) if isinstance(node, ast.SetComp) else items
        case ast.DictComp():
            return dict(comprehend(fold, node.generators, [node.key, node.value], local))
        case _:
            raise Unknown.here(f"{_KINDS.get(type(node), 'this')} is not a constant")


def _fold_dict(node: ast.Dict, fold: Fold, local: Local) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            result.update(fold(value, local))
            continue
        try:
            result[fold(key, local)] = fold(value, local)
        except Unknown as unknown:
            result[fold(key, local)] = Unfolded(unknown)
    return result


def _fold_index(node: ast.expr, fold: Fold, local: Local) -> Any:
    if not isinstance(node, ast.Slice):
        return fold(node, local)
    bounds = (node.lower, node.upper, node.step)
    return slice(*(None if part is None else fold(part, local) for part in bounds))


def _fold_bool(node: ast.BoolOp, fold: Fold, local: Local) -> Any:
    value: Any = None
    for part in node.values:
        value = fold(part, local)
        if bool(value) == isinstance(node.op, ast.Or):
            break
    return value


def _fold_compare(node: ast.Compare, fold: Fold, local: Local) -> bool:
    left = fold(node.left, local)
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = fold(comparator, local)
        if not apply_compare(operator, left, right):
            return False
        left = right
    return True


_KINDS: dict[type, str] = {
    ast.Lambda: "a lambda",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.NamedExpr: "an assignment expression",
    ast.Starred: "an unpacked value",
}
