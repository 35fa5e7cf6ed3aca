"""Find the ``Input(...)`` behind a default: a call, a name, an attribute, a helper function."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from cogworks.schema.comprehensions import Local
from cogworks.schema.entities import FunctionEntity, ValueEntity
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import external_name
from cogworks.schema.literals import Folder
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import Unknown

_MAX_HELPERS = 10
"""Of helper functions and names that lead to one another."""


@dataclass(frozen=True)
class InputCall:
    """An ``Input(...)`` in the source, with the arguments of the helper function around it."""

    node: ast.Call
    scope: Scope
    local: Local = field(default_factory=dict[str, Any])


class InputCalls:
    """Finds the calls of one project."""

    def __init__(self, names: Names, folder: Folder) -> None:
        """Look names up in ``names`` and fold the arguments of helpers with ``folder``."""
        self._names = names
        self._folder = folder

    def find(
        self, node: ast.expr, scope: Scope, local: Local | None = None, depth: int = 0
    ) -> InputCall | None:
        """Follow names, attributes and helper functions to an ``Input(...)``, if there is one."""
        if depth > _MAX_HELPERS:
            return None
        if not isinstance(node, ast.Call):
            for entity in self._names.resolve(node, scope):
                if isinstance(entity, ValueEntity):
                    return self.find(entity.node, entity.scope, None, depth + 1)
            return None
        if external_name(self._names, node.func, scope) in ("cog.Input", "cog.FieldInfo"):
            return InputCall(node, scope, local or {})
        for entity in self._names.resolve(node.func, scope):
            if isinstance(entity, FunctionEntity):
                return self._enter_helper(node, entity, scope, depth)
        return None

    def _enter_helper(
        self, node: ast.Call, helper: FunctionEntity, scope: Scope, depth: int
    ) -> InputCall | None:
        """Follow a call to a function that does nothing but return an ``Input(...)``."""
        body = [item for item in helper.node.body if not _is_docstring(item)]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        found = self.find(body[0].value, helper.scope, None, depth + 1)
        if found is None or found.scope is not helper.scope:
            return found
        try:
            return replace(found, local=self._bind_arguments(node, helper, scope))
        except Unknown as unknown:
            raise unresolved("an argument", node, scope, unknown) from unknown

    def _bind_arguments(
        self, node: ast.Call, helper: FunctionEntity, scope: Scope
    ) -> dict[str, Any]:
        arguments = helper.node.args
        positional = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        values: dict[str, ast.expr] = {}
        defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults[item.arg] = default
        values.update(zip(positional, node.args, strict=False))
        values.update({item.arg: item.value for item in node.keywords if item.arg is not None})
        bound = {name: self._folder.fold(value, helper.scope) for name, value in defaults.items()}
        return {
            **bound,
            **{name: self._folder.fold(value, scope) for name, value in values.items()},
        }


def unresolved(what: str, node: ast.expr, scope: Scope, unknown: Unknown) -> SchemaError:
    """Return the error for a value that only running the code would tell."""
    place = Place(scope.source, node)
    inner = unknown.place
    at_fault = ""
    if inner is not None and inner.source is not scope.source:
        at_fault = f" ({inner.describe()})"
    if inner is not None and inner.source is scope.source:
        place = inner
    return place.error(
        f"{what} `{text_of(node)}` cannot be statically resolved: {unknown.why}{at_fault}",
        "Write a literal, or a constant that is made of literals.",
    )


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
