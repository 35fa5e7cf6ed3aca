"""Find the class or function of a reference, and the function of it that makes predictions."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from cog._schema.errors import SignatureError
from cog._schema.rules import choose_method, missing_self
from cogworks.schema.classes import Ancestor, Classes
from cogworks.schema.entities import ClassEntity, Entity, External, FunctionEntity, ValueEntity
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import canonical, external_name
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place

RUNNERS = ("cog.BaseRunner", "cog.BasePredictor")

_DEFAULT_NAMES = {"run": ("Runner", "Predictor", "run", "predict"), "train": ("train", "Trainer")}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Target:
    """The function that makes predictions; ``owner`` is the author's class if it is a method."""

    function: Function
    scope: Scope
    owner: ClassEntity | None

    @property
    def place(self) -> Place:
        """Where messages about the function as a whole point."""
        return Place(self.scope.source, self.function)


class Targets:
    """Finds targets in one project."""

    def __init__(self, names: Names, classes: Classes) -> None:
        """Look names and ancestors up with what is given."""
        self._names = names
        self._classes = classes

    def find(self, scope: Scope, name: str, mode: str) -> Target:
        """Return the target called ``name`` (or the default names if empty) of a file.

        Raises:
            SchemaError: there is nothing of that name, or no class or function.
            SignatureError: the class has no method for predictions.
        """
        entity = self._entity(scope, name, mode)
        if isinstance(entity, FunctionEntity):
            return Target(entity.node, entity.scope, None)
        if isinstance(entity, ClassEntity):
            return self._method(entity, mode)
        raise SchemaError(
            f"{name} is neither a class nor a function of the project",
            file=scope.source.name,
        )

    def find_member(self, entity: ClassEntity, name: str) -> Target | None:
        """Return a method of a class, inherited ones too; None if only ours or nobody has it."""
        for ancestor in self._own_ancestors(entity):
            if name in ancestor.body.names():
                return self._member(ancestor, name)
        return None

    def _entity(self, scope: Scope, name: str, mode: str) -> Entity:
        for candidate in (name,) if name else _DEFAULT_NAMES[mode]:
            found = self._names.look_up(candidate, scope, None)
            found = [item for item in found if not _is_builtin(item)]
            if found:
                return self._follow(found[0])
        expected = name or " or ".join(_DEFAULT_NAMES[mode][:2])
        raise SchemaError(
            f"{expected} not found",
            f'Name the class in cog.yaml: {mode}: "{scope.source.name}:YourClass".',
            file=scope.source.name,
        )

    def _follow(self, entity: Entity, depth: int = 0) -> Entity:
        if isinstance(entity, ValueEntity) and depth < 10:
            found = self._names.resolve(entity.node, entity.scope)
            return self._follow(found[0], depth + 1) if found else entity
        return entity

    def _method(self, entity: ClassEntity, mode: str) -> Target:
        place = Place(entity.scope.source, entity.node)
        names: set[str] = set()
        for ancestor in self._own_ancestors(entity):
            names.update(ancestor.body.names())
        try:
            name = choose_method(entity.node.name, names, mode)
        except SignatureError as error:
            error.where = place
            unknown = self._unknown_bases(entity)
            if unknown and "not found" in str(error):
                error.advice += f" What it inherits from {unknown} cannot be seen here."
            raise
        target = self.find_member(entity, name)
        assert target is not None
        self._check_method(target)
        return target

    def _member(self, owner: ClassEntity, name: str) -> Target:
        entities = [self._follow(item) for item in self._names.look_up(name, owner.body, None)]
        functions = [item for item in entities if isinstance(item, FunctionEntity)]
        if len(functions) == len(entities) == 1:
            return Target(functions[0].node, functions[0].scope, owner)
        # ``run = decorate(run)`` is what ``@decorate`` is.
        defined = owner.body.functions(name)
        if len(entities) == len(defined) == 1:
            return Target(defined[0], owner.body, owner)
        place = Place(owner.scope.source, owner.node)
        several = len(entities) > 1 or len(defined) > 1
        reason = "is defined in several places" if several else "is no plain method"
        raise place.error(f"{owner.node.name}.{name} {reason}", f"Write one `def {name}`.")

    def _check_method(self, target: Target) -> None:
        function = target.function
        decorators = [
            external_name(self._names, node, target.scope) for node in function.decorator_list
        ]
        is_bound = any(name.endswith(("staticmethod", "classmethod")) for name in decorators)
        arguments = [*function.args.posonlyargs, *function.args.args]
        if is_bound or not arguments or arguments[0].arg != "self":
            error = missing_self(function.name)
            error.where = target.place
            raise error

    def _own_ancestors(self, entity: ClassEntity) -> list[ClassEntity]:
        """Return the classes of the author that come before our own base class."""
        found: list[ClassEntity] = []
        for ancestor in self._classes.linearize(entity):
            if _is_runner(ancestor):
                break
            if isinstance(ancestor, ClassEntity):
                found.append(ancestor)
        return found

    def _unknown_bases(self, entity: ClassEntity) -> str:
        names = [
            item.name
            for item in self._classes.linearize(entity)
            if isinstance(item, External) and not _is_runner(item) and not _is_builtin(item)
        ]
        return ", ".join(names)


def _is_runner(ancestor: Ancestor) -> bool:
    return isinstance(ancestor, External) and canonical(ancestor.name) in RUNNERS


def _is_builtin(entity: Entity) -> bool:
    return isinstance(entity, External) and entity.module == "builtins"
