"""Which names a module or a class body binds, to what, and when.

A name may be bound several times, and under conditions whose outcome nobody knows here; so
``candidates`` gives all bindings that may be in force at a place, and who asks decides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from cogworks.schema.changes import find_changes, is_main_guard
from cogworks.schema.source import Source

Position = tuple[int, int]
"""Line and column."""


@dataclass(frozen=True, eq=False)
class Binding:
    """One statement that gives a name its meaning.

    ``node`` is a class, a function, the value of an assignment, or the alias of an import whose
    statement is ``statement``; None if the meaning cannot be told (a loop variable).
    """

    node: ast.AST | None
    statement: ast.AST
    is_conditional: bool
    end: Position


@dataclass(frozen=True, eq=False)
class Star:
    """``from module import *``."""

    statement: ast.ImportFrom


class Scope:
    """The names of a module, or of a class body with its module around it."""

    def __init__(self, source: Source, body: list[ast.stmt], outer: Scope | None = None) -> None:
        """Collect the bindings of ``body``."""
        self.source = source
        self.outer = outer
        self.stars: list[Star] = []
        self.annotations: dict[str, ast.AnnAssign] = {}
        self._bindings: dict[str, list[Binding]] = {}
        self._changes = find_changes(body)
        self._classes: dict[ast.ClassDef, Scope] = {}
        self._collect(body, is_conditional=False)

    def candidates(self, name: str, position: Position | None) -> list[Binding]:
        """Return the bindings of ``name`` that may be in force at ``position`` (None: the end).

        A name that is only bound later is one that is used later, in a string annotation.
        """
        bindings = self._bindings.get(name, [])
        if position is not None:
            bindings = [item for item in bindings if item.end <= position] or bindings
        last_certain = 0
        for index, binding in enumerate(bindings):
            if not binding.is_conditional:
                last_certain = index
        return bindings[last_certain:]

    def names(self) -> Iterable[str]:
        """Return all names that the body binds."""
        return self._bindings.keys()

    def functions(self, name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return all functions of that name, also those that are bound to something else later."""
        nodes = [binding.node for binding in self._bindings.get(name, [])]
        return [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]

    def find_change(self, name: str) -> ast.AST | None:
        """Return where the value of ``name`` is changed in place, if anywhere."""
        return self._changes.get(name)

    def class_scope(self, node: ast.ClassDef) -> Scope:
        """Return the scope of a class that is defined here; classes do not see each other's."""
        if node not in self._classes:
            module = self.outer or self
            self._classes[node] = Scope(self.source, node.body, module)
        return self._classes[node]

    def _collect(self, body: list[ast.stmt], is_conditional: bool) -> None:
        for statement in body:
            self._collect_statement(statement, is_conditional)

    def _collect_statement(self, statement: ast.stmt, is_conditional: bool) -> None:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            self._bind(statement.name, statement, statement, is_conditional)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            self._collect_import(statement, is_conditional)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._collect_target(target, statement.value, statement, is_conditional)
        elif isinstance(statement, ast.AnnAssign):
            if isinstance(statement.target, ast.Name):
                self.annotations[statement.target.id] = statement
            if statement.value is not None:
                self._collect_target(statement.target, statement.value, statement, is_conditional)
        elif isinstance(statement, ast.AugAssign):
            self._collect_augmented(statement, is_conditional)
        elif type(statement).__name__ == "TypeAlias":  # ``type X = ...``, of Python 3.12 on.
            alias: ast.expr = getattr(statement, "name")  # noqa: B009 - unknown to older Pythons
            value: ast.expr = getattr(statement, "value")  # noqa: B009
            self._collect_target(alias, value, statement, is_conditional)
        else:
            self._collect_blocks(statement, is_conditional)

    def _collect_blocks(self, statement: ast.stmt, is_conditional: bool) -> None:
        if isinstance(statement, ast.If):
            if is_main_guard(statement.test):
                return  # Not run when the file is imported.
            is_certain = _is_type_checking(statement.test) and not is_conditional
            self._collect(statement.body, not is_certain)
            self._collect(statement.orelse, True)
        elif isinstance(statement, (ast.Try, ast.TryStar)):
            self._collect(statement.body, is_conditional)
            for handler in statement.handlers:
                self._collect(handler.body, True)
            self._collect(statement.orelse, is_conditional)
            self._collect(statement.finalbody, is_conditional)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            for item in statement.items:
                if item.optional_vars is not None:
                    self._collect_target(item.optional_vars, None, statement, is_conditional)
            self._collect(statement.body, is_conditional)
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            self._collect_target(statement.target, None, statement, True)
            self._collect_loop(statement.body + statement.orelse)
        elif isinstance(statement, ast.While):
            self._collect_loop(statement.body + statement.orelse)
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                self._collect(case.body, True)

    def _collect_loop(self, body: list[ast.stmt]) -> None:
        """What a loop assigns has a value for every round; none of them is the one."""
        before = {name: len(found) for name, found in self._bindings.items()}
        self._collect(body, True)
        for name, found in self._bindings.items():
            for index in range(before.get(name, 0), len(found)):
                if isinstance(found[index].node, ast.expr):
                    old = found[index]
                    found[index] = Binding(None, old.statement, True, old.end)

    def _collect_import(self, statement: ast.Import | ast.ImportFrom, is_conditional: bool) -> None:
        for alias in statement.names:
            if alias.name == "*" and isinstance(statement, ast.ImportFrom):
                self.stars.append(Star(statement))
                continue
            name = alias.asname or alias.name.split(".")[0]
            self._bind(name, alias, statement, is_conditional)

    def _collect_target(
        self,
        target: ast.expr,
        value: ast.expr | None,
        statement: ast.stmt,
        is_conditional: bool,
    ) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, value, statement, is_conditional)
        elif isinstance(target, (ast.Tuple, ast.List)):
            values: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and _pairs(target, value):
                values = list(value.elts)
            for element, part in zip(target.elts, values, strict=True):
                self._collect_target(element, part, statement, is_conditional)
        elif isinstance(target, ast.Starred):
            self._collect_target(target.value, None, statement, is_conditional)

    def _collect_augmented(self, statement: ast.AugAssign, is_conditional: bool) -> None:
        if not isinstance(statement.target, ast.Name):
            return
        # ``x += y`` is ``x = x + y``; the inner x is then the one before.
        before = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement.target)
        sum_ = ast.BinOp(before, statement.op, statement.value)
        value = ast.copy_location(sum_, statement)
        self._bind(statement.target.id, value, statement, is_conditional)

    def _bind(
        self, name: str, node: ast.AST | None, statement: ast.stmt, is_conditional: bool
    ) -> None:
        end = (statement.end_lineno or 0, statement.end_col_offset or 0)
        binding = Binding(node, statement, is_conditional, end)
        self._bindings.setdefault(name, []).append(binding)


def _pairs(target: ast.Tuple | ast.List, value: ast.Tuple | ast.List) -> bool:
    starred = any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts))
    return not starred and len(target.elts) == len(value.elts)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return bool(name == "TYPE_CHECKING")
