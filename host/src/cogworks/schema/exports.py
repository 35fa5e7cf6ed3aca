"""What a module's ``__all__`` lists, for those who import everything from it."""

from __future__ import annotations

import ast

from cogworks.schema.scopes import Scope

_ALL = "__all__"


def find_exports(scope: Scope) -> frozenset[str] | None:
    """Return the names in ``__all__`` of a module; None if it has none, or one that is computed."""
    bindings = scope.candidates(_ALL, None)
    if len(bindings) != 1 or scope.find_change(_ALL) is not None:
        return None
    node = bindings[0].node
    names = _names_in(node, scope) if isinstance(node, ast.expr) else None
    return None if names is None else frozenset(names)


def _names_in(node: ast.expr, scope: Scope) -> list[str] | None:
    if isinstance(node, (ast.List, ast.Tuple)):
        values = [item.value for item in node.elts if isinstance(item, ast.Constant)]
        names = [value for value in values if isinstance(value, str)]
        return names if len(names) == len(node.elts) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_names_in(side, scope) for side in (node.left, node.right)]
        return None if None in sides else [name for side in sides for name in side or ()]
    if isinstance(node, ast.Name) and node.id == _ALL:
        # ``__all__ += [...]`` refers to what it was before.
        here = (node.lineno, node.col_offset)
        before = [item for item in scope.candidates(_ALL, here) if item.end <= here]
        inner = before[0].node if len(before) == 1 else None
        return _names_in(inner, scope) if isinstance(inner, ast.expr) else None
    return None
