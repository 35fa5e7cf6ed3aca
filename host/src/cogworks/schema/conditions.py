"""Conditions of module code whose outcome is known without running anything."""

from __future__ import annotations

import ast

OLDEST_PYTHON = (3, 9)
"""No model runs under an older one."""


def decide(test: ast.expr) -> bool | None:
    """Return what a condition is whenever a model is loaded; None if that depends.

    ``TYPE_CHECKING`` and ``__name__ == "__main__"`` are false then; ``sys.version_info`` is known
    to be at least that of the oldest Python that models may have.
    """
    if is_main_guard(test) or is_type_checking(test):
        return False
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = decide(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        return _decide_bool(test)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and _is_version(test.left):
        return _decide_version(test.ops[0], test.comparators[0])
    return None


def is_main_guard(test: ast.expr) -> bool:
    """Tell whether it is ``__name__ == "__main__"``."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
    )


def is_type_checking(test: ast.expr) -> bool:
    """Tell whether it is ``TYPE_CHECKING``, whose block only type checkers read."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return bool(name == "TYPE_CHECKING")


def leaves(body: list[ast.stmt]) -> bool:
    """Tell whether a block ends the import of its module: it raises, or exits."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    if isinstance(last, ast.If) and last.orelse:
        return leaves(last.body) and leaves(last.orelse)
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
        return False
    return ast.unparse(last.value.func) in ("sys.exit", "exit", "quit", "os._exit")


def _decide_bool(test: ast.BoolOp) -> bool | None:
    is_or = isinstance(test.op, ast.Or)
    parts = [decide(part) for part in test.values]
    if is_or in parts:
        return is_or
    return None if None in parts else not is_or


def _is_version(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "version_info"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def _decide_version(op: ast.cmpop, node: ast.expr) -> bool | None:
    """Compare ``sys.version_info``, of which we know a lower bound, with a tuple."""
    parts = node.elts if isinstance(node, ast.Tuple) else []
    numbers = [part.value for part in parts if isinstance(part, ast.Constant)]
    version = tuple(number for number in numbers if isinstance(number, int))
    if not parts or len(version) != len(parts) or version > OLDEST_PYTHON:
        return None
    # (3, 9) itself is less than (3, 9, 18, "final", 0), which is what the oldest may be.
    if isinstance(op, (ast.GtE, ast.Gt)):
        return True
    return False if isinstance(op, (ast.Lt, ast.LtE)) else None
