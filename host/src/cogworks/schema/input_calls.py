"""Find the ``Input(...)`` behind a default: a call, a name, an attribute, a helper function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cog._schema.kinds import is_dict
from cogworks.schema.comprehensions import Local
from cogworks.schema.entities import Entity, FunctionEntity, ValueEntity
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import external_name
from cogworks.schema.functions import Helper, find_helper, lambda_helper
from cogworks.schema.literals import Folder
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import Unknown

_MAX_HELPERS = 10
"""Of helper functions and names that lead to one another."""

ADVICE = "Write a literal, or a constant that is made of literals."


@dataclass(frozen=True)
class Argument:
    """An argument of ``Input``: where it stands, and what the names of a helper around it are.

    ``value`` holds its value if it came out of a ``**``, whose place is ``node`` then.
    """

    node: ast.expr
    scope: Scope
    local: Local
    value: tuple[Any, ...] = ()


@dataclass(frozen=True)
class InputCall:
    """An ``Input(...)`` in the source; ``before`` is the partial call that it completes, if any."""

    node: ast.Call
    scope: Scope
    local: Local
    before: InputCall | None = None


class InputCalls:
    """Finds the calls of one project."""

    def __init__(self, names: Names, folder: Folder) -> None:
        """Look names up in ``names`` and fold the arguments of helpers with ``folder``."""
        self._names = names
        self._folder = folder

    def find(
        self, node: ast.expr, scope: Scope, local: Local | None = None, depth: int = 0
    ) -> InputCall | None:
        """Follow names, attributes and helper functions to an ``Input(...)``, if there is one.

        Raises:
            SchemaError: there is one, but which depends on what only running the code tells.
        """
        local = local or {}
        if depth > _MAX_HELPERS:
            return None
        match node:
            case ast.Call():
                return self._find_in_call(node, scope, local, depth + 1)
            case ast.Name() | ast.Attribute():
                is_local = isinstance(node, ast.Name) and node.id in local
                entities = [] if is_local else self._names.resolve(node, scope)
                return self._find_in_entities(entities, node, scope, depth + 1)
            case ast.Subscript():
                return self._find_in_item(node, scope, local, depth + 1)
            case ast.IfExp():
                return self._find_in_condition(node, scope, local, depth + 1)
            case ast.NamedExpr():
                return self.find(node.value, scope, local, depth + 1)
            case _:
                return None

    def arguments(self, name: str, call: InputCall) -> dict[str, Argument]:
        """Return the arguments of a call, by their names, those of partial calls before it too.

        Raises:
            SchemaError: they cannot be told, or there are more than ``Input`` takes.
        """
        found = {} if call.before is None else self.arguments(name, call.before)
        new = list(self._own_arguments(name, call))
        seen: set[str] = set()
        for key, argument in new:
            if key in seen:
                reason = f"{name}: Input() gets {key!r} twice"
                raise Place(argument.scope.source, argument.node).error(reason, "Remove one.")
            seen.add(key)
        return {**found, **dict(new)}

    def _own_arguments(self, name: str, call: InputCall) -> Iterator[tuple[str, Argument]]:
        node, scope, local = call.node, call.scope, call.local
        positional = [Argument(item, scope, local) for item in node.args]
        if call.before is None and self._is_partial(node, scope):
            del positional[0]  # It is ``Input`` itself.
        if any(isinstance(item.node, ast.Starred) for item in positional):
            positional = list(self._unpack(name, positional))
        if len(positional) > 1:
            place = Place(scope.source, node)
            raise place.error(f"{name}: Input() takes one argument without a name, the default")
        for item in positional:
            yield "default", item
        for keyword in node.keywords:
            argument = Argument(keyword.value, scope, local)
            if keyword.arg is not None:
                yield keyword.arg, argument
                continue
            values = self._fold(f"{name}: the arguments", argument)
            if not is_dict(values):
                place = Place(scope.source, keyword.value)
                raise place.error(f"{name}: what follows ** is no dict", "Write the arguments out.")
            for key, value in values.items():
                yield str(key), replace(argument, value=(value,))

    def _unpack(self, name: str, arguments: list[Argument]) -> Iterator[Argument]:
        for argument in arguments:
            if not isinstance(argument.node, ast.Starred):
                yield argument
                continue
            inner = replace(argument, node=argument.node.value)
            for value in self._fold(f"{name}: the arguments", inner):
                yield replace(inner, value=(value,))

    def _fold(self, what: str, argument: Argument) -> Any:
        try:
            return self._folder.fold(argument.node, argument.scope, argument.local)
        except Unknown as unknown:
            raise unresolved(what, argument.node, argument.scope, unknown) from unknown

    def _find_in_call(
        self, node: ast.Call, scope: Scope, local: Local, depth: int
    ) -> InputCall | None:
        if _is_input(external_name(self._names, node.func, scope)):
            return InputCall(node, scope, local)
        before = self._find_partial(node.func, scope, local, depth)
        if before is not None:
            return InputCall(node, scope, local, before)
        entities = self._names.resolve(node.func, scope)
        found = [self._enter(node, entity, scope, local, depth) for entity in entities]
        return self._the_one(found, node, scope)

    def _find_partial(
        self, node: ast.expr, scope: Scope, local: Local, depth: int
    ) -> InputCall | None:
        """Follow a function to ``functools.partial(Input, ...)``."""
        if depth > _MAX_HELPERS:
            return None
        if isinstance(node, ast.Call):
            if not self._is_partial(node, scope):
                return None
            if _is_input(external_name(self._names, node.args[0], scope)):
                return InputCall(node, scope, local)
            inner = self._find_partial(node.args[0], scope, local, depth + 1)
            rest = ast.copy_location(ast.Call(node.func, node.args[1:], node.keywords), node)
            return inner and InputCall(rest, scope, local, inner)
        entities = self._names.resolve(node, scope)
        if len(entities) != 1 or not isinstance(entities[0], ValueEntity):
            return None
        return self._find_partial(entities[0].node, entities[0].scope, {}, depth + 1)

    def _is_partial(self, node: ast.Call, scope: Scope) -> bool:
        is_partial = external_name(self._names, node.func, scope) == "functools.partial"
        return is_partial and bool(node.args)

    def _find_in_entities(
        self, entities: list[Entity], node: ast.expr, scope: Scope, depth: int
    ) -> InputCall | None:
        found = [
            self.find(entity.node, entity.scope, None, depth)
            if isinstance(entity, ValueEntity)
            else None
            for entity in entities
        ]
        return self._the_one(found, node, scope)

    def _the_one(
        self, found: list[InputCall | None], node: ast.expr, scope: Scope
    ) -> InputCall | None:
        """Return what all of ``found`` are; which of several holds is a matter of conditions."""
        if len(found) > 1 and any(item is not None for item in found):
            reason = f"`{text_of(node)}` is set in several places, under conditions"
            raise Place(scope.source, node).error(reason, "Write one Input(...) for the parameter.")
        return found[0] if found else None

    def _enter(
        self, node: ast.Call, entity: Entity, scope: Scope, local: Local, depth: int
    ) -> InputCall | None:
        """Follow a call to a function that does nothing but return an ``Input(...)``."""
        helper: Helper | None = None
        if isinstance(entity, FunctionEntity):
            helper = find_helper(entity)
        elif isinstance(entity, ValueEntity) and isinstance(entity.node, ast.Lambda):
            helper = lambda_helper(entity.node, entity.scope)
        if helper is None or self.find(helper.body, helper.scope, None, depth) is None:
            return None
        try:
            bound = self._folder.bind(helper, node, scope, local)
        except Unknown as unknown:
            raise unresolved("an argument", node, scope, unknown) from unknown
        return self.find(helper.body, helper.scope, bound, depth)

    def _find_in_item(
        self, node: ast.Subscript, scope: Scope, local: Local, depth: int
    ) -> InputCall | None:
        """Follow ``INPUTS["seed"]`` into the display that ``INPUTS`` is."""
        entities = self._names.resolve(node.value, scope)
        if len(entities) != 1 or not isinstance(entities[0], ValueEntity):
            return None
        entity = entities[0]
        if self._names.find_change(entity) is not None:
            return None
        try:
            index = self._folder.fold(node.slice, scope, local)
            for key, value in _items(entity.node):
                known = key if isinstance(key, int) else self._folder.fold(key, entity.scope)
                if known == index:
                    return self.find(value, entity.scope, None, depth)
        except Unknown:
            return None  # Who reads the default as a constant says why.
        return None

    def _find_in_condition(
        self, node: ast.IfExp, scope: Scope, local: Local, depth: int
    ) -> InputCall | None:
        found = [self.find(branch, scope, local, depth) for branch in (node.body, node.orelse)]
        if found == [None, None]:
            return None
        try:
            test = self._folder.fold(node.test, scope, local)
        except Unknown as unknown:
            raise unresolved("the condition", node.test, scope, unknown) from unknown
        return found[0] if test else found[1]


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
        f"{what} `{text_of(node)}` cannot be statically resolved: {unknown.why}{at_fault}", ADVICE
    )


def _is_input(name: str) -> bool:
    return name in ("cog.Input", "cog.FieldInfo")


def _items(node: ast.expr) -> Iterator[tuple[ast.expr | int, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in reversed(list(zip(node.keys, node.values, strict=True))):
            if key is None:
                return  # ``**more`` may hold the key.
            yield key, value
    elif isinstance(node, (ast.List, ast.Tuple)) and not _has_star(node.elts):
        yield from enumerate(node.elts)


def _has_star(nodes: list[ast.expr]) -> bool:
    return any(isinstance(item, ast.Starred) for item in nodes)
