"""Where a module or class body changes its lists, dicts and sets in place.

The text of ``SIZES = []`` says nothing once ``SIZES.append(1)`` follows.
"""

from __future__ import annotations

import ast

MUTATORS = frozenset(
    [
        "append",
        "add",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    ]
)
"""Methods that change a list, dict or set in place."""


def find_changes(body: list[ast.stmt]) -> dict[str, ast.AST]:
    """Return the names whose values are changed, each with the first place.

    Functions count, for the body may call them; the methods of classes do not, nor does what
    only happens when the file is run by itself.
    """
    changes: dict[str, ast.AST] = {}
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            continue
        if isinstance(statement, ast.If) and is_main_guard(statement.test):
            continue
        local = _local_names(statement)
        for node in ast.walk(statement):
            for name in _changed_names(node):
                if name not in local:
                    changes.setdefault(name, node)
    return changes


def is_main_guard(test: ast.expr) -> bool:
    """Tell whether it is ``__name__ == "__main__"``."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
    )


def _local_names(statement: ast.stmt) -> frozenset[str]:
    """Return the names that a function assigns and that therefore are its own."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    arguments = statement.args
    names = {item.arg for item in (*arguments.args, *arguments.kwonlyargs)}
    shared: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Global):
            shared.update(node.names)
    return frozenset(names - shared)


def _changed_names(node: ast.AST) -> list[str]:
    """Return the names whose list, dict or set a node changes in place, or that it may rebind."""
    if isinstance(node, ast.Global):
        return node.names
    target: ast.AST | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        target = node.func.value if node.func.attr in MUTATORS else None
    elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        target = node.value
    return [target.id] if isinstance(target, ast.Name) else []
