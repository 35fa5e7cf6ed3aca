"""``Literal[...]`` and the author's enums, read from source text."""

from __future__ import annotations

import ast
from typing import Any

from cog._schema.choices import enum_choice, literal
from cog._schema.hints import Foreign, Hint
from cogworks.schema.entities import ClassEntity
from cogworks.schema.literals import Folder
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import Unknown

_ADVICE = "Write the values as literals, or as constants that are made of literals."


Written = tuple[ast.expr, Scope]
"""An expression, and the scope that it stands in."""


class Choices:
    """Reads the choices of one project."""

    def __init__(self, folder: Folder) -> None:
        """Fold values with ``folder``."""
        self._folder = folder

    def read_literal(self, node: ast.expr, arguments: list[Written], scope: Scope) -> Hint:
        """Return the hint for ``Literal[arguments]``; ``scope`` is that of ``node``."""
        values: list[Any] = []
        for argument, where in arguments:
            try:
                value = self._folder.fold(argument, where)
            except Unknown as unknown:
                text = text_of(argument)
                problem = f"`{text}` cannot be statically resolved: {unknown.why}"
                place = unknown.place or Place(where.source, argument)
                return Foreign(text_of(node), problem, _ADVICE, place)
            if not any(type(value) is type(known) and value == known for known in values):
                values.append(value)
        return literal(values, text_of(node), Place(scope.source, node))

    def find_enum(self, entity: ClassEntity, place: Place) -> Hint | None:
        """Return the hint for an enum; None if the class is none."""
        name = entity.node.name
        try:
            values = self._folder.find_members(entity)
        except Unknown as unknown:
            problem = f"the members of {name} cannot be statically resolved: {unknown.why}"
            return Foreign(name, problem, _ADVICE, unknown.place or place)
        return None if values is None else enum_choice(name, values, place)
