"""Functions of the project that do nothing but return an expression: what a call of one gives."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cogworks.schema.entities import FunctionEntity
from cogworks.schema.scopes import Scope
from cogworks.schema.values import Unknown


@dataclass(frozen=True)
class Helper:
    """A function whose result is ``body``, in ``scope``; ``outer`` is where it is defined."""

    name: str
    arguments: ast.arguments
    body: ast.expr
    scope: Scope
    outer: Scope
    skips_first: bool = False


def find_helper(entity: FunctionEntity) -> Helper | None:
    """Return the helper that a function is; None if it does more, or decorators may change it."""
    node = entity.node
    decorators = [ast.unparse(item) for item in node.decorator_list]
    body = [item for item in node.body if not _is_docstring(item)]
    if isinstance(node, ast.AsyncFunctionDef) or not set(decorators) <= _HARMLESS:
        return None
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return None
    scope = entity.scope.inside(node)
    is_bound = "classmethod" in decorators
    return Helper(node.name, node.args, body[0].value, scope, entity.scope, is_bound)


def lambda_helper(node: ast.Lambda, scope: Scope) -> Helper:
    """Return the helper that a lambda is."""
    return Helper("the lambda", node.args, node.body, scope.inside(node), scope)


def bind_arguments(
    helper: Helper,
    arguments: list[Any],
    keywords: Mapping[str, Any],
    fold_default: Callable[[ast.expr], Any],
) -> dict[str, Any]:
    """Return the values of a helper's parameters when it is called so.

    Raises:
        Unknown: the arguments do not fit, or a default is not known.
    """
    node = helper.arguments
    names = [item.arg for item in (*node.posonlyargs, *node.args)]
    if helper.skips_first:
        names = names[1:]
    bound = dict(zip(names, arguments, strict=False))
    rest = tuple(arguments[len(names) :])
    by_name = {**dict.fromkeys(names), **{item.arg: None for item in node.kwonlyargs}}
    extra = {name: value for name, value in keywords.items() if name not in by_name}
    if (rest and node.vararg is None) or (extra and node.kwarg is None) or bound.keys() & keywords:
        raise Unknown.here(f"the arguments do not fit {helper.name}()")
    bound.update({name: value for name, value in keywords.items() if name in by_name})
    for name, default in _defaults(node).items():
        if name not in bound and default is not None:
            bound[name] = fold_default(default)
    missing = [name for name in by_name if name not in bound]
    if missing:
        raise Unknown.here(f"{helper.name}() needs an argument for {missing[0]}")
    if node.vararg is not None:
        bound[node.vararg.arg] = rest
    if node.kwarg is not None:
        bound[node.kwarg.arg] = extra
    return bound


def _defaults(node: ast.arguments) -> dict[str, ast.expr | None]:
    positional = [item.arg for item in (*node.posonlyargs, *node.args)]
    defaults: dict[str, ast.expr | None] = dict(
        zip(reversed(positional), reversed(node.defaults), strict=False)
    )
    by_name = zip(node.kwonlyargs, node.kw_defaults, strict=True)
    return {**defaults, **{item.arg: default for item, default in by_name}}


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_HARMLESS = {
    "staticmethod",
    "classmethod",
    "cache",
    "functools.cache",
    "lru_cache",
    "functools.lru_cache",
}
"""Decorators that leave the result as it is."""
