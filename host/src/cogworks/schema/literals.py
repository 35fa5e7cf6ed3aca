"""Fold constant expressions: what an expression of the author's source is, without running it.

Only values whose text says what they are: literals, constants of the project's modules,
operators, a few functions without side effects. Everything is bounded, for ``10 ** 10 ** 10``
is a constant expression too.
"""

from __future__ import annotations

import ast
from typing import Any

from cogworks.schema.calls import call_function, call_method, constructor_argument
from cogworks.schema.comprehensions import Fold, Local
from cogworks.schema.entities import (
    ClassEntity,
    Entity,
    External,
    FunctionEntity,
    Unclear,
    ValueEntity,
)
from cogworks.schema.expressions import fold_expression, fold_items
from cogworks.schema.modules import Module
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import CONSTANTS, Unfolded, Unknown, check_known, check_size

MAX_STEPS = 20_000
"""Of one expression; comprehensions and constants that use one another add up."""

MAX_NESTING = 100
"""Of expressions in expressions, constants followed; Python's own stack is not much deeper."""

_ENDLESS = "it takes too many steps to find out"


class Folder:
    """Folds the expressions of one project."""

    def __init__(self, names: Names) -> None:
        """Look names up in ``names``."""
        self._names = names
        self._steps = 0
        self._nesting = 0

    def fold(self, node: ast.expr, scope: Scope, local: Local | None = None) -> Any:
        """Return the value of an expression.

        Raises:
            Unknown: it cannot be told from the source; says at which place, and why.
        """
        self._steps = 0
        self._nesting = 0
        return check_known(self._fold(node, scope, local or {}))

    def _fold(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        self._steps += 1
        self._nesting += 1
        place = Place(scope.source, node)
        if self._steps > MAX_STEPS or self._nesting > MAX_NESTING:
            raise Unknown(place, _ENDLESS)
        try:
            value = check_size(self._fold_node(node, scope, local))
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
        if any(type(value) is not type(first) or value != first for value in values):
            raise Unknown.here(f"`{name}` is set in several places, under conditions")
        return first

    def _fold_entity(self, entity: Entity, name: str) -> Any:
        match entity:
            case External():
                if entity.name in CONSTANTS:
                    return CONSTANTS[entity.name]
                raise Unknown.here(f"`{name}` belongs to {entity.module or entity.name}")
            case ValueEntity():
                change = entity.scope.find_change(entity.name)
                if change is not None:
                    where = Place(entity.scope.source, change).describe()
                    raise Unknown.here(f"`{name}` is changed in {where}")
                return self._fold(entity.node, entity.scope, {})
            case Unclear():
                raise Unknown.here(f"what `{name}` is in {entity.place.describe()} is not constant")
            case ClassEntity() | FunctionEntity():
                kind = "class" if isinstance(entity, ClassEntity) else "function"
                raise Unknown.here(f"`{name}` is a {kind}")
            case Module():
                raise Unknown.here(f"`{name}` is a module")

    def _fold_attribute(self, node: ast.Attribute, scope: Scope, local: Local) -> Any:
        name = ast.unparse(node)
        is_local = isinstance(node.value, ast.Name) and node.value.id in local
        entities = [] if is_local else self._names.resolve(node, scope)
        if entities:
            return self._fold_entities(entities, name)
        raise Unknown.here(f"`{name}` is not found")

    def _fold_call(self, node: ast.Call, scope: Scope, local: Local) -> Any:
        entities = self._names.resolve(node.func, scope)
        for entity in entities[:1]:
            if isinstance(entity, External):
                argument = constructor_argument(entity.name, node)
                if argument is not None:
                    return self._fold(argument, scope, local)
                arguments, keywords = self._fold_arguments(node, scope, local)
                return call_function(entity.name, arguments, keywords)
        if isinstance(node.func, ast.Attribute) and not _is_callable(entities):
            owner = self._fold(node.func.value, scope, local)
            arguments, keywords = self._fold_arguments(node, scope, local)
            return call_method(owner, node.func.attr, arguments, keywords)
        raise Unknown.here(f"`{text_of(node.func)}(...)` is a call")

    def _fold_arguments(
        self, node: ast.Call, scope: Scope, local: Local
    ) -> tuple[list[Any], dict[str, Any]]:
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self._fold(keyword.value, scope, local)
            if keyword.arg is None:
                keywords.update(value)
            else:
                keywords[keyword.arg] = value
        return fold_items(node.args, self._in(scope), local), keywords


def _is_callable(entities: list[Entity]) -> bool:
    return any(isinstance(item, (ClassEntity, FunctionEntity, Module)) for item in entities)
