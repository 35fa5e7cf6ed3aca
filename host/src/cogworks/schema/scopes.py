"""Which names a module or a class body binds, to what, and when.

A name may be bound several times, and under conditions whose outcome nobody knows here; so
``candidates`` gives all bindings that may be in force at a place, and who asks decides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from copy import copy
from dataclasses import replace

from cogworks.schema.bindings import STAR, Binding, Position, in_force
from cogworks.schema.changes import ANY, Change, find_changes
from cogworks.schema.collector import Collector
from cogworks.schema.source import Source
from cogworks.schema.type_parameters import TypeParameter, parameters_of

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Scope:
    """The names of a module, or of a class body with its module around it."""

    def __init__(
        self,
        source: Source,
        body: list[ast.stmt],
        outer: Scope | None = None,
        name: str = "",
    ) -> None:
        """Collect the bindings of ``body``, the class ``name`` in ``outer`` or a module."""
        collector = Collector()
        collector.collect(body)
        self.source = source
        self.outer = outer
        self.parameters: dict[str, TypeParameter] = {}
        self.nearest: dict[str, TypeParameter] = {}
        self.annotations = collector.annotations
        self.changes = find_changes(body, is_class=outer is not None)
        self._name = name
        self._bindings = collector.found
        self._classes: dict[ast.ClassDef, Scope] = {}
        self._insides: dict[ast.AST, Scope] = {}
        self._since: Position | None = None

    def candidates(self, name: str, position: Position | None) -> list[Binding]:
        """Return the bindings of ``name`` that may be in force at ``position`` (None: the end).

        A name that is only bound later is one that is used later, in a string annotation. A star
        import after them may bind the name too: it is in the list, as a binding of ``*``.
        """
        bindings = self._bindings.get(name, [])
        if self._since is not None:
            return self._candidates_since(name, self._since)
        if position is not None:
            bindings = [item for item in bindings if item.end <= position] or bindings
        found = in_force(bindings)
        since = found[0].end if found and found[0].starts else (0, 0)
        stars = [
            star
            for star in self._bindings.get(STAR, [])
            if since <= star.end and (position is None or star.end <= position or not found)
        ]
        return sorted([*found, *stars], key=lambda item: item.end) if stars else found

    def inside(self, function: Function | ast.Lambda) -> Scope:
        """Return this scope as the body of a function sees it, which runs some time later."""
        if function not in self._insides:
            scope = copy(self)
            scope._since = (function.end_lineno or 0, function.end_col_offset or 0)
            self._insides[function] = scope
        return self._insides[function]

    def _candidates_since(self, name: str, since: Position) -> list[Binding]:
        own = self._bindings.get(name, [])
        before = in_force([item for item in own if item.end <= since])
        # A star import does not end what the name was: it may not bring that name along.
        first = before[0].end if before and before[0].starts else (0, 0)
        stars = [item for item in self._bindings.get(STAR, []) if item.end >= first]
        later = [replace(item, starts=False) for item in (*own, *stars) if item.end > since]
        before += [item for item in stars if item.end <= since]
        return [*sorted(before, key=lambda item: item.end), *later]

    def around(self, node: ast.AST) -> Scope:
        """Return this scope as the bases, the value or the annotations of ``node`` see it.

        There the type parameters of a class, an alias or a function are known.
        """
        parameters = parameters_of(node)
        if not parameters:
            return self
        scope = copy(self)
        scope.nearest = {**self.nearest, **{item.name: item for item in parameters}}
        return scope

    def names(self) -> Iterable[str]:
        """Return all names that the body binds."""
        return self._bindings.keys()

    def functions(self, name: str) -> list[Function]:
        """Return all functions of that name, also those that are bound to something else later."""
        nodes = [binding.node for binding in self._bindings.get(name, [])]
        return [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]

    def find_change(self, path: str) -> Change | None:
        """Return where the value of a name, or a dotted name, is changed, if anywhere here."""
        inside = (change for name, change in self.changes.items() if name.startswith(f"{path}."))
        return self.find_named_change(path) or self.changes.get(ANY) or next(inside, None)

    def find_named_change(self, path: str) -> Change | None:
        """Return where the text names what is changed; ``exec`` may change anything."""
        if self.outer is not None and self._name:
            change = self.outer.find_named_change(f"{self._name}.{path}")
            if change is not None:
                return change
        return self.changes.get(path)

    def class_scope(self, node: ast.ClassDef) -> Scope:
        """Return the scope of a class that is defined here; classes do not see each other's."""
        if node not in self._classes:
            module = self.outer or self
            name = node.name if self.outer is None else ""
            inner = Scope(self.source, node.body, module, name)
            inner.parameters = {item.name: item for item in parameters_of(node)}
            self._classes[node] = inner
        return self._classes[node]
