"""Fold constant expressions: what an expression of the author's source is, without running it.

Only values whose text says what they are: literals, constants of the project's modules,
operators, a few functions without side effects. Everything is bounded, for ``10 ** 10 ** 10``
is a constant expression too.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from cogworks.schema.calls import call_function, call_method, constructor_argument
from cogworks.schema.modules import Module
from cogworks.schema.names import (
    ClassEntity,
    Entity,
    External,
    FunctionEntity,
    Names,
    Unclear,
    ValueEntity,
)
from cogworks.schema.operators import apply_binary, apply_compare, apply_unary, format_value
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place
from cogworks.schema.values import CONSTANTS, Unfolded, Unknown, check_known, check_size, iterate

MAX_STEPS = 100_000
"""Of one expression; comprehensions and constants that use one another add up."""

MAX_NESTING = 100
"""Of expressions in expressions, constants followed; Python's own stack is not much deeper."""

_ENDLESS = "it takes too many steps to find out"

Local = Mapping[str, Any]
"""Values of names that only exist inside a comprehension or a call."""


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
            case ast.Constant():
                return node.value
            case ast.Name():
                return local[node.id] if node.id in local else self._fold_name(node, scope)
            case ast.Attribute():
                return self._fold_attribute(node, scope, local)
            case ast.List():
                return self._fold_items(node.elts, scope, local)
            case ast.Tuple():
                return tuple(self._fold_items(node.elts, scope, local))
            case ast.Set():
                return frozenset(self._fold_items(node.elts, scope, local))
            case ast.Dict():
                return self._fold_dict(node, scope, local)
            case ast.JoinedStr():
                return "".join(str(self._fold(part, scope, local)) for part in node.values)
            case ast.FormattedValue():
                return self._fold_formatted(node, scope, local)
            case ast.Subscript():
                value = self._fold(node.value, scope, local)
                return value[self._fold_index(node.slice, scope, local)]
            case _:
                return self._fold_operation(node, scope, local)

    def _fold_operation(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        match node:
            case ast.UnaryOp():
                return apply_unary(node.op, self._fold(node.operand, scope, local))
            case ast.BinOp():
                left = self._fold(node.left, scope, local)
                return apply_binary(node.op, left, self._fold(node.right, scope, local))
            case ast.BoolOp():
                return self._fold_bool(node, scope, local)
            case ast.Compare():
                return self._fold_compare(node, scope, local)
            case ast.IfExp():
                chosen = node.body if self._fold(node.test, scope, local) else node.orelse
                return self._fold(chosen, scope, local)
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehend(node.generators, [node.elt], scope, local, flat=True)
            case ast.SetComp():
                found = self._comprehend(node.generators, [node.elt], scope, local, flat=True)
                return frozenset(found)
            case ast.DictComp():
                parts = [node.key, node.value]
                return dict(self._comprehend(node.generators, parts, scope, local, flat=False))
            case ast.Call():
                return self._fold_call(node, scope, local)
            case _:
                raise Unknown.here(f"{_KINDS.get(type(node), 'this')} is not a constant")

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

    def _fold_items(self, nodes: list[ast.expr], scope: Scope, local: Local) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += iterate(self._fold(node.value, scope, local))
            else:
                items.append(self._fold(node, scope, local))
        return items

    def _fold_dict(self, node: ast.Dict, scope: Scope, local: Local) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                result.update(self._fold(value, scope, local))
            else:
                result[self._fold(key, scope, local)] = self._fold_value(value, scope, local)
        return result

    def _fold_value(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        try:
            return self._fold(node, scope, local)
        except Unknown as unknown:
            return Unfolded(unknown)

    def _fold_formatted(self, node: ast.FormattedValue, scope: Scope, local: Local) -> str:
        value = self._fold(node.value, scope, local)
        spec = self._fold(node.format_spec, scope, local) if node.format_spec else ""
        return format_value(value, node.conversion, spec)

    def _fold_index(self, node: ast.expr, scope: Scope, local: Local) -> Any:
        if not isinstance(node, ast.Slice):
            return self._fold(node, scope, local)
        bounds = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self._fold(part, scope, local) for part in bounds))

    def _fold_bool(self, node: ast.BoolOp, scope: Scope, local: Local) -> Any:
        value: Any = None
        for part in node.values:
            value = self._fold(part, scope, local)
            if bool(value) == isinstance(node.op, ast.Or):
                break
        return value

    def _fold_compare(self, node: ast.Compare, scope: Scope, local: Local) -> bool:
        left = self._fold(node.left, scope, local)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self._fold(comparator, scope, local)
            if not apply_compare(operator, left, right):
                return False
            left = right
        return True

    def _comprehend(
        self,
        generators: list[ast.comprehension],
        parts: list[ast.expr],
        scope: Scope,
        local: Local,
        *,
        flat: bool,
    ) -> list[Any]:
        if not generators:
            values = tuple(self._fold(part, scope, local) for part in parts)
            return [values[0] if flat else values]
        first, *rest = generators
        if first.is_async:
            raise Unknown.here("an asynchronous comprehension is not a constant")
        result: list[Any] = []
        for item in iterate(self._fold(first.iter, scope, local)):
            inner = {**local, **_unpack(first.target, item)}
            if all(self._fold(test, scope, inner) for test in first.ifs):
                result += self._comprehend(rest, parts, scope, inner, flat=flat)
        return result

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
        raise Unknown.here(f"`{_short(node.func)}(...)` is a call")

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
        return self._fold_items(node.args, scope, local), keywords


def _is_callable(entities: list[Entity]) -> bool:
    return any(isinstance(item, (ClassEntity, FunctionEntity, Module)) for item in entities)


def _unpack(target: ast.expr, value: Any) -> dict[str, Any]:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, (ast.Tuple, ast.List)):
        raise Unknown.here("the target of the comprehension is no name")
    parts = list(iterate(value))
    if len(parts) != len(target.elts):
        raise Unknown.here("the items of the comprehension cannot be unpacked")
    unpacked: dict[str, Any] = {}
    for element, part in zip(target.elts, parts, strict=True):
        unpacked.update(_unpack(element, part))
    return unpacked


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 80 else text[:79] + "…"


_KINDS: dict[type, str] = {
    ast.Lambda: "a lambda",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.NamedExpr: "an assignment expression",
    ast.Starred: "an unpacked value",
}
