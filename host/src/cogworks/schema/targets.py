"""Find the class or function of a reference, and the function of it that makes predictions."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from cog._schema.errors import SignatureError
from cog._schema.rules import choose_method, missing_self
from cogworks.schema.classes import Ancestor, Classes
from cogworks.schema.decorators import SIGNATURE_ATTRIBUTES, Decorators
from cogworks.schema.entities import (
    ClassEntity,
    Entity,
    External,
    FunctionEntity,
    PartEntity,
    Unclear,
    ValueEntity,
)
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import canonical, external_name
from cogworks.schema.names import Names
from cogworks.schema.scopes import Function, Scope
from cogworks.schema.source import Place, text_of

RUNNERS = ("cog.BaseRunner", "cog.BasePredictor")

_DEFAULT_NAMES = {"run": ("Runner", "Predictor", "run", "predict"), "train": ("train", "Trainer")}


@dataclass(frozen=True)
class Target:
    """The function that makes predictions.

    ``owner`` is the author's class if it is a method; the one that defines it. ``model`` is the
    one that was asked for, which may inherit it.
    """

    function: Function
    scope: Scope
    owner: ClassEntity | None
    decorators: tuple[tuple[ast.expr, Scope], ...]
    is_async: bool
    model: ClassEntity | None = None

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
        self._decorators = Decorators(names)

    def find(self, scope: Scope, name: str, mode: str) -> Target:
        """Return the target called ``name`` (or the default names if empty) of a file.

        Raises:
            SchemaError: there is nothing of that name, or no class or function.
            SignatureError: the class has no method for predictions.
        """
        entity = self._entity(scope, name, mode)
        if isinstance(entity, FunctionEntity):
            self._check_unchanged(entity.node.name, entity.scope)
            return self._target(entity.node, entity.scope, None)
        if isinstance(entity, ClassEntity):
            self._check_class(entity)
            return self._method(entity, mode)
        raise _no_target(name or "it", entity, scope)

    def _target(
        self,
        function: Function,
        scope: Scope,
        owner: ClassEntity | None,
        outer: list[ast.expr] | None = None,
    ) -> Target:
        found = self._decorators.look_through(function, scope, outer)
        return Target(found.function, found.scope, owner, found.decorators, found.is_async)

    def find_member(self, entity: ClassEntity, name: str) -> Target | None:
        """Return a method of a class, inherited ones too; None if only ours or nobody has it."""
        for ancestor in self._own_ancestors(entity):
            if name in ancestor.body.names():
                return replace(self._member(ancestor, name), model=entity)
        return None

    def _entity(self, scope: Scope, name: str, mode: str) -> Entity:
        for candidate in (name,) if name else _DEFAULT_NAMES[mode]:
            found = self._names.look_up(candidate, scope, None)
            found = [item for item in found if not _is_builtin(item)]
            if found:
                return self._the_one(candidate, found, scope)
        expected = name or " or ".join(_DEFAULT_NAMES[mode][:2])
        raise SchemaError(
            f"{expected} not found",
            f'Name the class in cog.yaml: {mode}: "{scope.source.name}:YourClass".',
            file=scope.source.name,
        )

    def _the_one(self, name: str, found: list[Entity], scope: Scope) -> Entity:
        entities = list(dict.fromkeys(end for item in found for end in self._follow(item)))
        if len(entities) == 1:
            return entities[0]
        statement = scope.candidates(name, None)[-1].statement
        raise Place(scope.source, statement).error(
            f"{name} is one of several, under conditions that only the running code knows",
            f"Define {name} once; what differs may be decided in setup().",
        )

    def _follow(self, entity: Entity, depth: int = 0) -> list[Entity]:
        if isinstance(entity, ValueEntity) and depth < 10:
            found = self._names.resolve(entity.node, entity.scope)
            return [end for item in found for end in self._follow(item, depth + 1)] or [entity]
        return [entity]

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
        found = self._names.look_up(name, owner.body, None)
        entities = [end for item in found for end in self._follow(item)]
        self._check_unchanged(name, owner.body)
        functions = [item for item in entities if isinstance(item, FunctionEntity)]
        if len(functions) == len(entities) == 1:
            return self._target(functions[0].node, functions[0].scope, owner)
        # ``run = decorate(run)`` is what ``@decorate`` is.
        defined = owner.body.functions(name)
        if len(entities) == len(defined) == 1:
            return self._target(defined[0], owner.body, owner, _outer_decorators(entities[0]))
        place = Place(owner.scope.source, owner.node)
        several = len(entities) > 1 or len(defined) > 1
        reason = "is defined in several places" if several else "is no plain method"
        raise place.error(f"{owner.node.name}.{name} {reason}", f"Write one `def {name}`.")

    def _check_class(self, entity: ClassEntity) -> None:
        replacing = self._decorators.find_replacing(entity.node, entity.scope)
        if replacing is not None:
            name, place = entity.node.name, Place(entity.scope.source, replacing)
            raise place.error(
                f"what {name} is behind the decorator only the running code knows",
                "Let the decorator return the class that it gets, or remove it.",
            )

    def _check_unchanged(self, path: str, scope: Scope) -> None:
        """Refuse what is set from outside: ``Runner.run = ...``, ``run.__defaults__ = ...``."""
        for suffix in ("", *(f".{name}" for name in SIGNATURE_ATTRIBUTES)):
            change = scope.find_named_change(path + suffix)
            if change is not None and change.rebinds:
                raise Place(scope.source, change.node).error(
                    f"{path} may be changed here, so its parameters cannot be known",
                    "Write them where it is defined.",
                )

    def _check_method(self, target: Target) -> None:
        function = target.function
        decorators = [external_name(self._names, node, scope) for node, scope in target.decorators]
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


def _no_target(name: str, entity: Entity, scope: Scope) -> SchemaError:
    advice = f"Write `class {name}(BaseRunner):` with a method run()."
    if isinstance(entity, ValueEntity) and not isinstance(entity.node, ast.Constant):
        text = text_of(entity.node)
        reason = f"{name} is `{text}`, and what that is only the running code knows"
        return Place(entity.scope.source, entity.node).error(reason, advice)
    if isinstance(entity, (Unclear, PartEntity)):
        place = entity.place if isinstance(entity, Unclear) else Place(scope.source, entity.node)
        failure = entity.failure if isinstance(entity, Unclear) else ""
        return place.error(failure or f"what {name} is only the running code knows", advice)
    statement = scope.candidates(name, None)[-1:]
    reason = f"{name} is neither a class nor a function of the project"
    if isinstance(entity, External):
        reason = f"{name} comes from {entity.module}, which is no part of the project"
    if not statement:
        return SchemaError(reason, advice, file=scope.source.name)
    return Place(scope.source, statement[0].statement).error(reason, advice)


def _outer_decorators(entity: Entity) -> list[ast.expr]:
    """Return the ``a(1)`` and ``b`` of ``run = a(1)(b(run))``."""
    node = entity.node if isinstance(entity, ValueEntity) else None
    found: list[ast.expr] = []
    while isinstance(node, ast.Call) and len(node.args) == 1:
        found.append(node.func)
        node = node.args[0]
    return found


def _is_runner(ancestor: Ancestor) -> bool:
    return isinstance(ancestor, External) and canonical(ancestor.name) in RUNNERS


def _is_builtin(entity: Entity) -> bool:
    return isinstance(entity, External) and entity.module == "builtins"
