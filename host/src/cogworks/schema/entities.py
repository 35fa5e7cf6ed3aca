"""What a name of the author's source can stand for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from cogworks.schema.bindings import Part
from cogworks.schema.modules import Module
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place
from cogworks.schema.type_parameters import TypeParameter


@dataclass(frozen=True)
class External:
    """Something of another package, by its full name: ``typing.Optional``, ``builtins.int``."""

    name: str

    @property
    def module(self) -> str:
        """The name without its last part."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class ClassEntity:
    """A class of the project; ``scope`` is where it is defined, ``body`` its own names."""

    node: ast.ClassDef
    scope: Scope = field(compare=False)
    body: Scope = field(compare=False)


@dataclass(frozen=True, eq=False)
class FunctionEntity:
    """A function or method of the project."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope


@dataclass(frozen=True)
class ValueEntity:
    """The value that a name was assigned; ``name`` as it is called in ``scope``.

    ``parameters`` are those of ``type L[T] = ...``.
    """

    node: ast.expr
    scope: Scope = field(compare=False)
    name: str = field(compare=False)
    parameters: tuple[TypeParameter, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class PartEntity:
    """A part of a value, which was unpacked: ``path`` leads to it, through what it is part of."""

    node: ast.expr
    path: tuple[Part, ...]
    scope: Scope = field(compare=False)
    name: str = field(compare=False)


@dataclass(frozen=True, eq=False)
class ParameterEntity:
    """The type parameter of a class, a function or an alias."""

    parameter: TypeParameter
    scope: Scope


@dataclass(frozen=True, eq=False)
class Unclear:
    """A name that is bound in a way that source text does not tell, at ``place``."""

    place: Place
    name: str
    failure: str = ""

    @property
    def why(self) -> str:
        """The reason: that the name has no value at all, or none that is known."""
        unclear = f"what `{self.name}` is in {self.place.describe()} is not constant"
        return self.failure or unclear


Entity = (
    External
    | ClassEntity
    | FunctionEntity
    | ValueEntity
    | PartEntity
    | ParameterEntity
    | Module
    | Unclear
)
