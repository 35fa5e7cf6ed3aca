"""Collect what the statements of a module or class body bind to names."""

from __future__ import annotations

import ast

from cogworks.schema.bindings import (
    Augmented,
    Binding,
    Found,
    Part,
    Position,
    extend,
    is_covered,
    merge,
    only_for_checkers,
    unclear,
)
from cogworks.schema.conditions import decide, is_type_checking, leaves


class Collector:
    """What the statements of a body bind, in order; ``annotations`` those that have a type."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.found: Found = {}
        self.annotations: dict[str, ast.AnnAssign] = {}

    def collect(self, body: list[ast.stmt]) -> None:
        """Add what ``body`` binds."""
        for statement in body:
            self._collect_statement(statement)
            self._collect_walruses(statement)

    def _collect_statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                self._bind(statement.name, statement, statement)
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    self._bind(alias.asname or alias.name.split(".")[0], alias, statement)
            case ast.Assign():
                for target in statement.targets:
                    self._collect_target(target, statement.value, statement)
            case ast.AnnAssign():
                self._collect_annotated(statement)
            case ast.AugAssign():
                self._collect_augmented(statement)
            case ast.Delete():
                self._collect_deletion(statement)
            case _ if type(statement).__name__ == "TypeAlias":
                self._collect_alias(statement)
            case _:
                self._collect_blocks(statement)

    def _collect_blocks(self, statement: ast.stmt) -> None:
        match statement:
            case ast.If():
                self._collect_if(statement)
            case ast.Try() | ast.TryStar():
                self._collect_try(statement)
            case ast.With() | ast.AsyncWith():
                self._collect_with(statement)
            case ast.For() | ast.AsyncFor():
                self._collect_for(statement)
            case ast.While():
                found = self._branch(statement.body + statement.orelse)
                self._merge([unclear(found), {}])
            case ast.Match():
                self._collect_match(statement)
            case _:
                pass

    def _branch(self, body: list[ast.stmt]) -> Found:
        inner = Collector()
        inner.annotations = self.annotations
        inner.collect(body)
        return inner.found

    def _collect_annotated(self, statement: ast.AnnAssign) -> None:
        if isinstance(statement.target, ast.Name):
            self.annotations[statement.target.id] = statement
        if statement.value is not None:
            self._collect_target(statement.target, statement.value, statement)

    def _collect_alias(self, statement: ast.stmt) -> None:
        """``type X = ...``, of Python 3.12 on."""
        name: ast.expr = getattr(statement, "name")  # noqa: B009 - unknown to older Pythons
        value: ast.expr = getattr(statement, "value")  # noqa: B009
        self._collect_target(name, value, statement)

    def _collect_augmented(self, statement: ast.AugAssign) -> None:
        if not isinstance(statement.target, ast.Name):
            return
        before = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement.target)
        sum_ = Augmented(before, statement.op, statement.value)
        self._bind(statement.target.id, ast.copy_location(sum_, statement), statement)

    def _collect_deletion(self, statement: ast.Delete) -> None:
        for target in statement.targets:
            if isinstance(target, ast.Name):
                end = _end(statement)
                self._add(target.id, Binding(None, statement, end, is_deleted=True))

    def _collect_if(self, statement: ast.If) -> None:
        branches: list[Found] = []
        at: ast.If | None = statement
        orelse: list[ast.stmt] = []
        while at is not None:  # A chain of elif may be longer than Python's stack is deep.
            outcome = decide(at.test)
            if outcome is not False:
                self._add_branch(branches, at.body)
            elif is_type_checking(at.test):
                extend(self.found, only_for_checkers(self._branch(at.body)))
            orelse = [] if outcome is True else at.orelse
            if outcome is True:
                self._merge(branches)
                return
            elif_ = orelse[0] if len(orelse) == 1 else None
            at = elif_ if isinstance(elif_, ast.If) else None
        self._add_branch(branches, orelse)
        self._merge(branches)

    def _add_branch(self, branches: list[Found], body: list[ast.stmt]) -> None:
        if not leaves(body):
            branches.append(self._branch(body))

    def _collect_try(self, statement: ast.Try | ast.TryStar) -> None:
        handlers: list[Found] = []
        for handler in statement.handlers:
            if not leaves(handler.body):
                handlers.append(self._branch(handler.body))
                if handler.name is not None:  # Python deletes it at the end.
                    handlers[-1][handler.name] = [Binding(None, handler, _end(handler))]
        body = self._branch(statement.body)
        if handlers:
            self._merge([self._partly(body, handlers), *handlers])
        else:
            extend(self.found, body)
        self.collect(statement.orelse)
        self.collect(statement.finalbody)

    def _partly(self, body: Found, handlers: list[Found]) -> Found:
        """Return what the body binds; all of it where a handler may leave a first part."""
        return {
            name: found if all(is_covered(item, name) for item in handlers) else list(found)
            for name, found in body.items()
        }

    def _collect_with(self, statement: ast.With | ast.AsyncWith) -> None:
        for item in statement.items:
            if item.optional_vars is not None:
                self._collect_target(item.optional_vars, None, statement)
        body = self._branch(statement.body)
        if any("suppress" in ast.unparse(item.context_expr) for item in statement.items):
            self._merge([body, {}])
        else:
            extend(self.found, body)

    def _collect_for(self, statement: ast.For | ast.AsyncFor) -> None:
        inner = Collector()
        inner.annotations = self.annotations
        inner._collect_target(statement.target, None, statement)
        inner.collect(statement.body + statement.orelse)
        self._merge([unclear(inner.found), {}])

    def _collect_match(self, statement: ast.Match) -> None:
        branches: list[Found] = [{}]
        for case in statement.cases:
            captured: Found = {
                name: [Binding(None, case.pattern, _end(case.pattern))]
                for name in _captured(case.pattern)
            }
            branches.append({**captured, **self._branch(case.body)})
        self._merge(branches)

    def _collect_walruses(self, statement: ast.stmt) -> None:
        """Add the names that ``:=`` binds in the expressions of a statement."""
        for node in _own_expressions(statement):
            # Of an operator such as ``and``, or of a comprehension, nobody knows how often.
            walruses = [item for item in ast.walk(node) if isinstance(item, ast.NamedExpr)]
            is_simple = walruses and not any(isinstance(i, _UNSURE) for i in ast.walk(node))
            for walrus in walruses:
                value = walrus.value if is_simple else None
                binding = Binding(value, walrus, _end(walrus), starts=bool(is_simple))
                self._add(walrus.target.id, binding)

    def _collect_target(
        self,
        target: ast.expr,
        value: ast.expr | None,
        statement: ast.stmt,
        path: tuple[Part, ...] = (),
    ) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, value, statement, path)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._collect_unpacked(target, value, statement, path)
        elif isinstance(target, ast.Starred):
            self._collect_target(target.value, value, statement, path)

    def _collect_unpacked(
        self,
        target: ast.Tuple | ast.List,
        value: ast.expr | None,
        statement: ast.stmt,
        path: tuple[Part, ...],
    ) -> None:
        count = len(target.elts)
        starred = [isinstance(item, ast.Starred) for item in target.elts]
        star = starred.index(True) if any(starred) else -1
        if not path and isinstance(value, (ast.Tuple, ast.List)) and _pairs(target, value):
            for element, part in zip(target.elts, value.elts, strict=True):
                self._collect_target(element, part, statement)
            return
        for index, element in enumerate(target.elts):
            part_path = (*path, Part(index, count, star))
            self._collect_target(element, value, statement, part_path)

    def _bind(
        self,
        name: str,
        node: ast.AST | None,
        statement: ast.stmt,
        path: tuple[Part, ...] = (),
    ) -> None:
        self._add(name, Binding(node, statement, _end(statement), path=path))

    def _add(self, name: str, binding: Binding) -> None:
        self.found.setdefault(name, []).append(binding)

    def _merge(self, branches: list[Found]) -> None:
        extend(self.found, merge(branches))


def _captured(pattern: ast.pattern) -> list[str]:
    names: list[str] = []
    for node in ast.walk(pattern):
        if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name is not None:
            names.append(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest is not None:
            names.append(node.rest)
    return names


def _own_expressions(statement: ast.stmt) -> list[ast.expr]:
    """Return the expressions that a statement itself evaluates, not those of its blocks."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return []
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return [item.context_expr for item in statement.items]
    found = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr)]
    return [node for node in found if not isinstance(node, (ast.Name, ast.Constant))]


def _pairs(target: ast.Tuple | ast.List, value: ast.Tuple | ast.List) -> bool:
    starred = any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts))
    return not starred and len(target.elts) == len(value.elts)


def _end(node: ast.AST) -> Position:
    return (int(getattr(node, "end_lineno", 0)), int(getattr(node, "end_col_offset", 0)))


_UNSURE = (
    ast.BoolOp,
    ast.IfExp,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
"""Expressions of which nobody knows here how often their parts are evaluated."""
