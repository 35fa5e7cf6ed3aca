"""Fold constant expressions: what an expression of the author's source is, without running it.

Only values whose text says what they are: literals, constants of the project's modules,
operators, a few functions without side effects. Everything is bounded, for ``10 ** 10 ** 10``
is a constant expression too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from cogworks.schema.calls import (
    bound_method,
    call_function,
    call_method,
    is_known_function,
    method_of,
)
from cogworks.schema.changes import Change
from cogworks.schema.comprehensions import Fold, Local
from cogworks.schema.entities import (
    ClassEntity,
    Entity,
    External,
    FunctionEntity,
    ParameterEntity,
    PartEntity,
    Unclear,
    ValueEntity,
)
from cogworks.schema.enums import EnumReader, enum_kind
from cogworks.schema.expressions import fold_expression, fold_items, take_part
from cogworks.schema.externals import canonical
from cogworks.schema.functions import Helper, bind_arguments, find_helper, lambda_helper
from cogworks.schema.modules import Module
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import (
    CONSTANTS,
    Enumeration,
    FunctionValue,
    Member,
    Unfolded,
    Unknown,
    attribute_of,
    check_size,
    is_changeable,
    plain,
    weigh,
)

MAX_STEPS = 20_000
"""Of one expression; comprehensions and constants that use one another add up."""

MAX_TOTAL_STEPS = 200_000
"""Of all expressions of an analysis."""

_WEIGHT_OF_A_STEP = 50
"""Characters and items that take about as long to copy as one more expression to fold."""

MAX_NESTING = 100
"""Of expressions in expressions, constants followed; Python's own stack is not much deeper."""

_ENDLESS = "it takes too many steps to find out"


class Folder:
    """Folds the expressions of one project."""

    def __init__(self, names: Names) -> None:
        """Look names up in ``names``."""
        self._names = names
        self._steps = 0
        self._total = 0
        self._nesting = 0
        self._enums: dict[ast.ClassDef, dict[str, Member]] = {}

    def fold(self, node: ast.expr, scope: Scope, local: Local | None = None) -> Any:
        """Return the value of an expression.

        Raises:
            Unknown: it cannot be told from the source; says at which place, and why.
        """
        self._total += self._steps
        self._steps = 0
        self._nesting = 0
        value = self._fold(node, scope, local or {})
        try:
            return plain(value)
        except Unknown as unknown:
            raise unknown.at(Place(scope.source, node)) from unknown

    def find_members(self, entity: ClassEntity) -> list[Any] | None:
        """Return the values of an enum's members; None if the class is no enum.

        Raises:
            Unknown: one of them is not known.
        """
        kind = enum_kind(self._names, entity)
        if not kind:
            return None
        self._steps = 0
        self._nesting = 0
        enumeration = Enumeration(entity.node.name, self._members(entity, kind))
        return [plain(member) for member in enumeration.members()]

    def _fold(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        self._steps += 1
        self._nesting += 1
        place = Place(scope.source, node)
        is_endless = self._steps > MAX_STEPS or self._total + self._steps > MAX_TOTAL_STEPS
        if is_endless or self._nesting > MAX_NESTING:
            raise Unknown(place, _ENDLESS)
        try:
            value = check_size(self._fold_node(node, scope, local))
            self._steps += weigh(value) // _WEIGHT_OF_A_STEP
            if isinstance(value, Unfolded):
                value.refuse()
            return value
        except Unknown as unknown:
            raise unknown.at(place) from unknown.__cause__
        except RecursionError as error:
            raise Unknown(place, _ENDLESS) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Unknown(place, f"it raises {type(error).__name__}: {error}") from error
        finally:
            self._nesting -= 1

    def _fold_node(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        match node:
            case ast.Name():
                return local[node.id] if node.id in local else self._fold_name(node, scope)
            case ast.Attribute():
                return self._fold_attribute(node, scope, local)
            case ast.Call():
                return self._fold_call(node, scope, local)
            case ast.Lambda():
                return self._function(lambda_helper(node, scope), local)
            case ast.NamedExpr():
                return self._fold(node.value, scope, local)
            case _:
                return fold_expression(node, self._in(scope), local)

    def _in(self, scope: Scope) -> Fold:
        return lambda node, local: self._fold(node, scope, local)

    def _fold_name(self, node: ast.Name, scope: Scope) -> Any:
        entities = self._names.resolve(node, scope)
        if not entities:
            raise Unknown.here(f"the name `{node.id}` is not found")
        return self._fold_entities(entities, node.id)

    def _fold_entities(self, entities: list[Entity], name: str) -> Any:
        values = [self._fold_entity(entity, name) for entity in entities]
        first = values[0]
        if len(values) > 1 and any(
            type(value) is not type(first) or value != first for value in values
        ):
            raise Unknown.here(f"`{name}` is set in several places, under conditions")
        return first

    def _fold_entity(self, entity: Entity, name: str) -> Any:
        match entity:
            case External():
                return _external_value(entity, name)
            case ValueEntity() | PartEntity():
                return self._fold_value(entity, name)
            case Unclear():
                raise Unknown.here(entity.why)
            case ClassEntity():
                kind = enum_kind(self._names, entity)
                if not kind:
                    raise Unknown.here(f"`{name}` is a class")
                return Enumeration(name, self._members(entity, kind))
            case FunctionEntity():
                helper = find_helper(entity)
                if helper is None:
                    raise Unknown.here(f"`{name}` is a function")
                return self._function(helper, {})
            case ParameterEntity():
                raise Unknown.here(f"`{name}` is a type parameter")
            case Module():
                raise Unknown.here(f"`{name}` is a module")

    def _fold_value(self, entity: ValueEntity | PartEntity, name: str) -> Any:
        change = self._names.find_change(entity)
        if change is not None and change[1].rebinds:
            raise Unknown.here(_describe_change(name, *change))
        value = self._fold(entity.node, entity.scope, {})
        if isinstance(entity, PartEntity):
            for part in entity.path:
                value = take_part(value, part)
        if change is not None and is_changeable(value):
            raise Unknown.here(_describe_change(name, *change))
        return value

    def _members(self, entity: ClassEntity, kind: str) -> dict[str, Member]:
        if entity.node not in self._enums:
            reader = EnumReader(
                self._names, entity, kind, lambda node, scope: self._fold(node, scope, {})
            )
            self._enums[entity.node] = reader.read()
        return self._enums[entity.node]

    def _fold_attribute(self, node: ast.Attribute, scope: Scope, local: Local) -> Any:
        is_local = _root(node) in local
        for owner in [] if is_local else self._names.resolve(node.value, scope)[:1]:
            if isinstance(owner, ClassEntity) and (kind := enum_kind(self._names, owner)):
                members = self._members(owner, kind)
                if node.attr in members:
                    return members[node.attr]
                if node.attr == "__members__":
                    return dict(members)
        entities = [] if is_local else self._names.resolve(node, scope)
        if entities:
            return self._fold_entities(entities, ast.unparse(node))
        if not is_local and _is_callable(self._names.resolve(node.value, scope)):
            raise Unknown.here(f"`{text_of(node)}` is not found")
        value = self._fold(node.value, scope, local)
        method = bound_method(value, node.attr)
        if method is not None:
            return FunctionValue(f"`{text_of(node)}`", method)
        return attribute_of(value, node.attr, text_of(node))

    def _fold_call(self, node: ast.Call, scope: Scope, local: Local) -> Any:
        is_local = _root(node.func) in local
        entities = [] if is_local else self._names.resolve(node.func, scope)
        if len(entities) == 1 and isinstance(entities[0], External):
            if canonical(entities[0].name) == "typing.cast" and len(node.args) == 2:
                return self._fold(node.args[1], scope, local)
            arguments, keywords = self.fold_arguments(node, scope, local)
            return call_function(entities[0].name, arguments, keywords)
        if len(entities) == 1 and isinstance(entities[0], FunctionEntity):
            helper = find_helper(entities[0])
            if helper is None:
                raise Unknown.here(
                    f"`{text_of(node.func)}()` does more than return an expression, or is decorated"
                )
            return self._call(helper, node, scope, local)
        if isinstance(node.func, ast.Attribute) and not _is_callable(entities):
            owner = self._fold(node.func.value, scope, local)
            arguments, keywords = self.fold_arguments(node, scope, local)
            return call_method(owner, node.func.attr, arguments, keywords)
        if len(entities) == 1 and isinstance(entities[0], (ClassEntity, ValueEntity)):
            return self._call_value(entities[0], node, scope, local)
        if isinstance(node.func, (ast.Name, ast.Lambda)) and not entities:
            function = self._fold(node.func, scope, local)
            if isinstance(function, FunctionValue):
                arguments, keywords = self.fold_arguments(node, scope, local)
                return function(*arguments, **keywords)
        raise Unknown.here(f"`{text_of(node.func)}(...)` is a call")

    def _call_value(
        self, entity: ClassEntity | ValueEntity, node: ast.Call, scope: Scope, local: Local
    ) -> Any:
        """Call what a name was assigned, or find the member of an enum by its value."""
        why = f"`{text_of(node.func)}(...)` is a call"
        if isinstance(entity, ClassEntity) and not enum_kind(self._names, entity):
            raise Unknown.here(why)
        function = self._fold(node.func, scope, local)
        arguments, keywords = self.fold_arguments(node, scope, local)
        if isinstance(function, FunctionValue):
            return function(*arguments, **keywords)
        if not isinstance(function, Enumeration) or len(arguments) != 1 or keywords:
            raise Unknown.here(why)
        found = [item for item in function.members() if arguments[0] in (item, item.value)]
        if not found:
            raise Unknown.here(f"`{text_of(node)}` is no member")
        return found[0]

    def _call(self, helper: Helper, node: ast.Call, scope: Scope, local: Local) -> Any:
        return self._fold(helper.body, helper.scope, self.bind(helper, node, scope, local))

    def bind(self, helper: Helper, node: ast.Call, scope: Scope, local: Local) -> Local:
        """Return the values of a helper's parameters for a call in ``scope``.

        Raises:
            Unknown: one is not known, or they do not fit.
        """
        arguments, keywords = self.fold_arguments(node, scope, local)
        return bind_arguments(helper, arguments, keywords, self._in_scope(helper.outer))

    def _function(self, helper: Helper, local: Local) -> FunctionValue:
        def call(*arguments: Any, **keywords: Any) -> Any:
            bound = bind_arguments(helper, list(arguments), keywords, self._in_scope(helper.outer))
            return self._fold(helper.body, helper.scope, {**local, **bound})

        return FunctionValue(helper.name, call)

    def _in_scope(self, scope: Scope) -> Callable[[ast.expr], Any]:
        return lambda node: self._fold(node, scope, {})

    def fold_arguments(
        self, node: ast.Call, scope: Scope, local: Local
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the values of the arguments of a call.

        Raises:
            Unknown: one is not known.
        """
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self._fold(keyword.value, scope, local)
            if keyword.arg is None:
                keywords.update(value)
            else:
                keywords[keyword.arg] = value
        return fold_items(node.args, self._in(scope), local), keywords


def _external_value(entity: External, name: str) -> Any:
    if entity.name in CONSTANTS:
        return CONSTANTS[entity.name]
    method = method_of(entity.name)
    if method is not None:
        return FunctionValue(f"`{name}`", method)
    if is_known_function(entity.name):
        return FunctionValue(f"`{name}`", partial(_call_known, entity.name))
    raise Unknown.here(f"`{name}` belongs to {entity.module or entity.name}")


def _call_known(function: str, *arguments: Any, **keywords: Any) -> Any:
    return call_function(function, list(arguments), keywords)


def _describe_change(name: str, place: Place, change: Change) -> str:
    node = change.node
    is_sure = not isinstance(node, ast.Expr)
    return f"`{name}` {'is' if is_sure else 'may be'} changed in {place.describe()}"


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_callable(entities: list[Entity]) -> bool:
    return any(isinstance(item, (ClassEntity, FunctionEntity, Module)) for item in entities)
