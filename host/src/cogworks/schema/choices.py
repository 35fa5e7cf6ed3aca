"""``Literal[...]`` and the author's enums, read from source text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from cog._schema.choices import enum_choice, literal
from cog._schema.hints import Foreign, Hint
from cogworks.schema.classes import Ancestor, Classes
from cogworks.schema.entities import ClassEntity, External
from cogworks.schema.externals import canonical, external_name
from cogworks.schema.literals import Folder
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import Unknown

_ENUMS = tuple(
    f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")
)
_MIXINS: dict[str, Any] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "enum.IntEnum": int,
    "enum.IntFlag": int,
    "enum.StrEnum": str,
}
_ADVICE = "Write the values as literals, or as constants that are made of literals."


class Choices:
    """Reads the choices of one project."""

    def __init__(self, names: Names, classes: Classes, folder: Folder) -> None:
        """Look names up in ``names``, ancestors in ``classes``, values in ``folder``."""
        self._names = names
        self._classes = classes
        self._folder = folder

    def read_literal(self, node: ast.expr, arguments: list[ast.expr], scope: Scope) -> Hint:
        """Return the hint for ``Literal[arguments]``."""
        place = Place(scope.source, node)
        values: list[Any] = []
        for argument in arguments:
            try:
                value = self._folder.fold(argument, scope)
            except Unknown as unknown:
                return self._unresolved(text_of(node), argument, scope, unknown)
            if not any(type(value) is type(known) and value == known for known in values):
                values.append(value)
        return literal(values, text_of(node), place)

    def find_enum(self, entity: ClassEntity, place: Place) -> Hint | None:
        """Return the hint for an enum; None if the class is none."""
        if not self.is_enum(entity):
            return None
        name = entity.node.name
        try:
            members = list(self.members(entity).values())
            values = [item for at, item in enumerate(members) if item not in members[:at]]
        except Unknown as unknown:
            where = unknown.place or place
            problem = f"the members of {name} cannot be statically resolved: {unknown.why}"
            return Foreign(name, problem, _ADVICE, where)
        return enum_choice(name, values, place)

    def is_enum(self, entity: ClassEntity) -> bool:
        """Tell whether a class is an enum."""
        return any(_name(item) in _ENUMS for item in self._classes.linearize(entity))

    def members(self, entity: ClassEntity) -> dict[str, Any]:
        """Return the values of an enum by their names; a second name of a value is an alias.

        Raises:
            Unknown: one of them is only known when the code runs.
        """
        ancestors = self._classes.linearize(entity)
        is_text = any(_name(item) == "enum.StrEnum" for item in ancestors)
        mixin = next((_MIXINS[_name(item)] for item in ancestors if _name(item) in _MIXINS), None)
        if any(_generates_values(item) for item in ancestors):
            raise Unknown.here("a method makes them")
        values: dict[str, Any] = {}
        for name, node in _assignments(entity.node):
            if self._is_auto(node, entity.body):
                value = name.lower() if is_text else _next_value(list(values.values()))
            else:
                value = self._folder.fold(node, entity.body)
            values[name] = mixin(value) if mixin and isinstance(value, _SCALARS) else value
        return values

    def _is_auto(self, node: ast.expr, scope: Scope) -> bool:
        return (
            isinstance(node, ast.Call)
            and external_name(self._names, node.func, scope) == "enum.auto"
        )

    def _unresolved(self, text: str, node: ast.expr, scope: Scope, unknown: Unknown) -> Foreign:
        problem = f"`{text_of(node)}` cannot be statically resolved: {unknown.why}"
        return Foreign(text, problem, _ADVICE, unknown.place or Place(scope.source, node))


_SCALARS = (bool, int, float, str)


def _name(ancestor: Ancestor) -> str:
    return canonical(ancestor.name) if isinstance(ancestor, External) else ""


def _generates_values(ancestor: Ancestor) -> bool:
    if not isinstance(ancestor, ClassEntity):
        return False
    names = set(ancestor.body.names())
    return bool(names & {"_generate_next_value_", "__new__", "_ignore_"})


def _assignments(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Give what the body of an enum binds to values; private names are no members."""
    for statement in node.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name) and not _is_private(target.id):
                yield target.id, statement.value


def _is_private(name: str) -> bool:
    return name.startswith("__") or (name.startswith("_") and name.endswith("_"))


def _next_value(values: list[Any]) -> int:
    """Return what ``auto()`` gives: one more than the largest number before it."""
    numbers = [value for value in values if isinstance(value, int)]
    return max(numbers, default=0) + 1
