"""What gives a name of a module or class body its meaning, and what of it is in force when.

Where the outcome of a condition is not known, a name has the bindings of all branches; where
all branches bind it, what it was before is over.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

Position = tuple[int, int]
"""Line and column."""

STAR = "*"
"""The name under which ``from module import *`` is found."""


@dataclass(frozen=True)
class Part:
    """Which of ``count`` items of an unpacked value; ``star`` is where the ``*`` is, -1 if none."""

    index: int
    count: int
    star: int = -1


class Augmented(ast.BinOp):
    """What a name is after ``x += y``: about ``x + y``, where ``x`` is what it was before."""

    def as_sum(self) -> ast.BinOp:
        """Return the ordinary node, which ``ast.unparse`` knows."""
        return ast.BinOp(self.left, self.op, self.right)


@dataclass(frozen=True, eq=False)
class Binding:
    """One statement that gives a name its meaning.

    ``node`` is a class, a function, the value of an assignment, or the alias of an import whose
    statement is ``statement``; None if the meaning cannot be told (a loop variable), or if
    ``is_deleted``. ``path`` says which part of the value it is. With ``starts``, what the name
    was before is over; else it may still be that. ``for_checkers`` if the running code has it not.
    """

    node: ast.AST | None
    statement: ast.AST
    end: Position
    starts: bool = True
    is_deleted: bool = False
    path: tuple[Part, ...] = ()
    for_checkers: bool = False


Found = dict[str, list[Binding]]


def in_force(bindings: list[Binding]) -> list[Binding]:
    """Return the last bindings, those that may hold after all of ``bindings``."""
    first = 0
    for index, binding in enumerate(bindings):
        if binding.starts:
            first = index
    return bindings[first:]


def extend(found: Found, more: Found) -> None:
    """Add bindings that come after those in ``found``."""
    for name, bindings in more.items():
        found.setdefault(name, []).extend(bindings)


def only_for_checkers(found: Found) -> Found:
    """Return the bindings of a block that only type checkers read."""
    return {
        name: [replace(item, starts=False, for_checkers=True) for item in bindings]
        for name, bindings in found.items()
    }


def merge(branches: list[Found]) -> Found:
    """Return the bindings after branches of which exactly one is taken."""
    names: dict[str, list[Found]] = {}
    for branch in branches:
        for name in branch:
            names.setdefault(name, []).append(branch)
    return {
        name: _merge_name(name, having, len(having) == len(branches))
        for name, having in names.items()
    }


def is_covered(branch: Found, name: str) -> bool:
    """Tell whether a branch binds a name whatever happens in it."""
    return any(binding.starts for binding in branch.get(name, []))


def unclear(found: Found) -> Found:
    """Return the bindings of a loop: they differ in every round, so none of the values is it."""
    return {
        name: [
            replace(item, node=None) if isinstance(item.node, ast.expr) else item
            for item in bindings
        ]
        for name, bindings in found.items()
    }


def _merge_name(name: str, branches: list[Found], in_all: bool) -> list[Binding]:
    if in_all and name != STAR and all(is_covered(branch, name) for branch in branches):
        items = [item for branch in branches for item in in_force(branch[name])]
        return [replace(item, starts=index == 0) for index, item in enumerate(items)]
    items = [item for branch in branches for item in branch[name]]
    return [replace(item, starts=False) for item in items if not item.is_deleted]
