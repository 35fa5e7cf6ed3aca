"""The type parameters of the author's classes, and what derived classes fill in for them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from cog._schema.generics import Filling, match, variables_in
from cog._schema.hints import Foreign, Hint, Variable
from cogworks.schema.entities import ClassEntity, Entity, ValueEntity
from cogworks.schema.externals import external_name
from cogworks.schema.names import MAX_DEPTH, Names
from cogworks.schema.scopes import Scope
from cogworks.schema.type_parameters import TypeParameter, parameters_of

ReadHint = Callable[[ast.expr, Scope], Hint]

VARIABLES = ("typing.TypeVar", "typing.TypeVarTuple", "typing.ParamSpec")

_LISTS = ("typing.Generic", "typing.Protocol")
"""Bases that say what the parameters are, and in which order."""

Base = tuple[ClassEntity, list[ast.expr], Scope]
"""A base class, what is filled in for its parameters, and where that is written."""


class Generics:
    """Knows the generic classes of one project."""

    def __init__(self, names: Names, read_hint: ReadHint) -> None:
        """Look names up in ``names``; read what is filled in with ``read_hint``."""
        self._names = names
        self._read_hint = read_hint
        self._parameters: dict[ast.ClassDef, tuple[Variable, ...]] = {}

    def variable(self, parameter: TypeParameter, scope: Scope) -> Variable:
        """Return the hint for the ``T`` of ``class Box[T]``."""
        default = parameter.default
        read = None if default is None else lambda: self._read_hint(default, scope)
        return Variable(parameter.name, parameter, parameter.is_several, read)

    def find_variable(self, node: ast.Call, scope: Scope) -> Variable | None:
        """Return the hint for ``TypeVar("T")``; None if the call makes something else."""
        name = external_name(self._names, node.func, scope)
        if name not in VARIABLES or not node.args or not isinstance(node.args[0], ast.Constant):
            return None
        default = next((item.value for item in node.keywords if item.arg == "default"), None)
        read = None if default is None else lambda: self._read_hint(default, scope)
        return Variable(str(node.args[0].value), node, name != VARIABLES[0], read)

    def parameters(self, entity: ClassEntity) -> tuple[Variable, ...]:
        """Return the parameters of a class that nothing is filled in for."""
        node = entity.node
        if node not in self._parameters:
            self._parameters[node] = ()  # What a base finds that names the class itself.
            self._parameters[node] = self._read_parameters(entity)
        return self._parameters[node]

    def fillings(self, entity: ClassEntity) -> dict[ast.ClassDef, Filling]:
        """Return, for each generic ancestor, what stands for its parameters in a class."""
        return self._fillings(entity, 0)

    def _fillings(self, entity: ClassEntity, depth: int) -> dict[ast.ClassDef, Filling]:
        found: dict[ast.ClassDef, Filling] = {}
        for base, given, scope in self._bases(entity) if depth < MAX_DEPTH else []:
            parameters = self.parameters(base)
            arguments = tuple(self._read_hint(item, scope) for item in given)
            hints = match(base.node.name, parameters, arguments, None)
            filling = Filling() if isinstance(hints, Foreign) else Filling(hints)
            if filling.hints:
                found.setdefault(base.node, filling)
            for ancestor, inner in self._fillings(base, depth + 1).items():
                found.setdefault(ancestor, inner.within(filling))
        return found

    def _read_parameters(self, entity: ClassEntity) -> tuple[Variable, ...]:
        declared = parameters_of(entity.node)
        scope = entity.scope.around(entity.node)
        if declared:
            return tuple(self.variable(item, scope) for item in declared)
        filled = [base for base in entity.node.bases if isinstance(base, ast.Subscript)]
        lists = [base for base in filled if external_name(self._names, base.value, scope) in _LISTS]
        found: dict[object, Variable] = {}
        for base in lists or filled:
            for argument in arguments_of(base):
                for variable in variables_in(self._read_hint(argument, scope)):
                    found.setdefault(variable.key, variable)
        return tuple(found.values())

    def _bases(self, entity: ClassEntity) -> list[Base]:
        scope = entity.scope.around(entity.node)
        found = [self._base(node, scope) for node in entity.node.bases]
        return [base for base in found if base is not None]

    def _base(self, node: ast.expr, scope: Scope) -> Base | None:
        """Return what a base stands for; names of it are followed: ``IntBox = Box[int]``."""
        given: list[ast.expr] = []
        where = scope
        for _ in range(MAX_DEPTH):
            if isinstance(node, ast.Subscript):
                given, where, node = arguments_of(node), scope, node.value
            entity: Entity | None = next(iter(self._names.resolve(node, scope)), None)
            if isinstance(entity, ClassEntity):
                return entity, given, where
            if not isinstance(entity, ValueEntity):
                return None
            node, scope = entity.node, entity.scope
        return None


def arguments_of(node: ast.Subscript) -> list[ast.expr]:
    """Return the ``A`` and ``B`` of ``X[A, B]``."""
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
