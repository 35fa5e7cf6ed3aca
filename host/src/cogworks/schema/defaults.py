"""Defaults of inputs that are more than constants: instances of classes.

A default becomes the JSON data that would make the same object again, as in ``cog._schema.defaults``.
"""

from __future__ import annotations

import ast
import datetime
import uuid
from typing import Any

from cog._schema.defaults import json_default
from cog._schema.types import COMPUTED, MISSING
from cogworks.schema.comprehensions import Local
from cogworks.schema.entities import ClassEntity, External, ValueEntity
from cogworks.schema.externals import external_name
from cogworks.schema.literals import Folder
from cogworks.schema.names import Names
from cogworks.schema.records import Parameter, Records
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of
from cogworks.schema.values import Unknown

_MAX_DEPTH = 20
"""Of objects in objects, and of names that lead to one another."""

_FACTORIES: dict[str, Any] = {
    f"builtins.{kind.__name__}": kind for kind in (bool, int, float, str, list, dict)
}


_TEXTS: dict[str, Any] = {
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "uuid.UUID": uuid.UUID,
}


class Defaults:
    """Reads the defaults of one project."""

    def __init__(self, names: Names, folder: Folder, records: Records) -> None:
        """Fold what is constant with ``folder``; look up the rest in the others."""
        self._names = names
        self._folder = folder
        self._records = records

    def read(self, node: ast.expr, scope: Scope, local: Local | None = None, depth: int = 0) -> Any:
        """Return the value of a default, with the fields of an object in its place.

        Raises:
            Unknown: only running the code would tell.
        """
        if depth > _MAX_DEPTH:
            raise Unknown(Place(scope.source, node), "it leads to itself")
        found = self._read_object(node, scope, depth)
        if found is not None:
            return found[0]
        try:
            return self._folder.fold(node, scope, local)
        except Unknown:
            if isinstance(node, (ast.List, ast.Tuple)) and not _has_stars(node.elts):
                return [self.read(item, scope, local, depth + 1) for item in node.elts]
            if isinstance(node, ast.Dict) and all(map(_is_text, node.keys)):
                return {
                    self._folder.fold(key, scope): self.read(value, scope, local, depth + 1)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if key is not None
                }
            raise

    def _read_object(self, node: ast.expr, scope: Scope, depth: int) -> tuple[Any] | None:
        """Return the fields of an instance, in a tuple; None if it is none."""
        if isinstance(node, ast.Call):
            return self._read_call(node, scope, depth)
        if isinstance(node, (ast.Name, ast.Attribute)):
            entities = self._names.resolve(node, scope)
            if len(entities) == 1 and isinstance(entities[0], ValueEntity):
                return self._read_constant(entities[0], depth)
        return None

    def _read_call(self, node: ast.Call, scope: Scope, depth: int) -> tuple[Any] | None:
        for entity in self._names.resolve_class(node.func, scope):
            if isinstance(entity, ClassEntity):
                return self._read_instance(node, entity, scope, depth)
        for entity in self._names.resolve(node.func, scope)[:1]:
            if isinstance(entity, External) and entity.name in _TEXTS:
                return (self._read_text(node, entity.name, scope),)
            if isinstance(entity, ValueEntity) and isinstance(entity.node, ast.Call):
                name = external_name(self._names, entity.node.func, entity.scope)
                if name == "typing.NewType" and len(node.args) == 1:
                    return (self.read(node.args[0], scope, None, depth + 1),)
        return None

    def _read_text(self, node: ast.Call, name: str, scope: Scope) -> str:
        """Return ``date(2024, 5, 17)`` as text; such constructors look at nothing but arguments."""
        arguments = [self._folder.fold(item, scope) for item in node.args]
        keywords = {
            item.arg: self._folder.fold(item.value, scope)
            for item in node.keywords
            if item.arg is not None
        }
        try:
            return str(json_default(_TEXTS[name](*arguments, **keywords)))
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            place = Place(scope.source, node)
            raise Unknown(place, f"it raises {type(error).__name__}: {error}") from error

    def _read_constant(self, entity: ValueEntity, depth: int) -> tuple[Any] | None:
        if self._names.find_change(entity) is not None:
            return None  # Folding it says where it is changed.
        return self._read_object(entity.node, entity.scope, depth + 1)

    def _read_instance(
        self, node: ast.Call, entity: ClassEntity, scope: Scope, depth: int
    ) -> tuple[Any] | None:
        parameters = self._records.constructor(entity)
        if not parameters or _has_stars(node.args):
            return None
        given = dict(zip([item.name for item in parameters], node.args, strict=False))
        given.update({item.arg: item.value for item in node.keywords if item.arg is not None})
        return (
            {
                item.name: self.read(given[item.name], scope, None, depth + 1)
                if item.name in given
                else self._field_default(item, node, scope, depth)
                for item in parameters
            },
        )

    def _field_default(self, item: Parameter, call: ast.Call, scope: Scope, depth: int) -> Any:
        given = self._records.given_to(item)
        if given is not None and given.default not in (MISSING, COMPUTED):
            return given.default
        if given is not None and given.default is COMPUTED:
            raise Unknown(Place(scope.source, call), "a factory's result is not constant")
        how, value = self._records.default_of(item)
        if value is None or given is not None:
            reason = f"`{text_of(call)}` does not give {item.name}"
            raise Unknown(Place(scope.source, call), reason)
        if how == "value":
            return self.read(value, item.scope, None, depth + 1)
        kind = _FACTORIES.get(external_name(self._names, value, item.scope))
        if kind is not None:
            return kind()
        for entity in self._names.resolve(value, item.scope)[:1]:
            found = isinstance(entity, ClassEntity) and self._read_instance(
                ast.copy_location(ast.Call(value, [], []), value), entity, item.scope, depth + 1
            )
            if found:
                return found[0]
        raise Unknown(Place(item.scope.source, value), "a factory's result is not constant")


def _has_stars(nodes: list[ast.expr]) -> bool:
    return any(isinstance(node, ast.Starred) for node in nodes)


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
