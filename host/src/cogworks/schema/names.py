"""What a name or a dotted name of the author's source stands for."""

from __future__ import annotations

import ast
import builtins

from cogworks.schema.bindings import STAR, Binding, Position
from cogworks.schema.changes import Change
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
from cogworks.schema.exports import find_exports
from cogworks.schema.lineage import Ancestor, Lineage
from cogworks.schema.modules import Module, Modules
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place
from cogworks.schema.star_exports import star_exports
from cogworks.schema.type_parameters import parameters_of

MAX_DEPTH = 50
"""Of imports and aliases that lead to one another; a circle reaches it."""


class Names:
    """Resolves names in the modules of one project."""

    def __init__(self, modules: Modules) -> None:
        """Follow imports through ``modules``."""
        self._modules = modules
        self._known: dict[tuple[Scope, str], list[Entity]] = {}
        self._aliases: dict[tuple[ast.expr, str], list[Entity]] = {}
        self._lineage = Lineage(self.bases)

    def resolve(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[Entity]:
        """Return what a name or attribute may stand for; nothing if it is unknown.

        More than one entity means that it depends on a condition.
        """
        if depth > MAX_DEPTH:
            return []
        if isinstance(node, ast.Name):
            return self.look_up(node.id, scope, _position(node), depth)
        if isinstance(node, ast.Attribute):
            owners = self.resolve(node.value, scope, depth + 1)
            return [
                found for owner in owners for found in self.attribute(owner, node.attr, depth + 1)
            ]
        return []

    def look_up(
        self, name: str, scope: Scope, position: Position | None, depth: int = 0
    ) -> list[Entity]:
        """Return what ``name`` may stand for at ``position`` of a scope's file."""
        at: Scope | None = scope
        while at is not None:
            if name in at.nearest:
                return [ParameterEntity(at.nearest[name], at)]
            found = self._in_scope(name, at, position, depth)
            if found:
                return found
            if name in at.parameters:
                return [ParameterEntity(at.parameters[name], at)]
            at = at.outer
        return [External(f"builtins.{name}")] if hasattr(builtins, name) else []

    def attribute(self, owner: Entity, name: str, depth: int = 0) -> list[Entity]:
        """Return what ``owner.name`` may stand for."""
        if depth > MAX_DEPTH:
            return []
        if isinstance(owner, External):
            return [External(f"{owner.name}.{name}")]
        if isinstance(owner, Module):
            return self._of_module(owner, name, depth)
        if isinstance(owner, ClassEntity):
            return self._of_class(owner, name, depth)
        if isinstance(owner, ValueEntity):
            return self._of_alias(owner, name, depth)
        return []

    def bases(self, entity: ClassEntity) -> list[Entity]:
        """Return the base classes that can be resolved, aliases followed; ``X[T]`` is ``X``."""
        found: list[Entity] = []
        for base in entity.node.bases:
            found += self.resolve_class(base, entity.scope)
        return found

    def resolve_class(self, node: ast.expr, scope: Scope) -> list[Entity]:
        """Return what a class is, aliases followed: ``Box`` for ``Box[int]`` and ``IntBox``."""
        return self._aliased(self.resolve(_without_types(node), scope)[:1], 0)

    def linearize(self, entity: ClassEntity) -> list[Ancestor]:
        """Return a class and its ancestors, as ``__mro__`` does; those unknown are left out."""
        return self._lineage.linearize(entity)

    def find_change(self, entity: ValueEntity | PartEntity) -> tuple[Place, Change] | None:
        """Return where the value of a name is changed, in its own module or in another."""
        change = entity.scope.find_change(entity.name)
        if change is not None:
            return Place(entity.scope.source, change.node), change
        if self._modules.is_main(entity.scope.source):
            return None  # Nobody imports it.
        for scope in self._modules.mentioning(entity.name):
            if scope.source is not entity.scope.source:
                for path, change in scope.changes.items():
                    if self._leads_to(path, scope, entity):
                        return Place(scope.source, change.node), change
        return None

    def _leads_to(self, path: str, scope: Scope, entity: ValueEntity | PartEntity) -> bool:
        """Whether ``config.SIZES``, or the ``SIZES`` of an import, is the entity."""
        head, *rest = path.split(".")
        if rest[-1:] != [entity.name] and rest:
            return False
        bindings = scope.candidates(head, None)
        if not any(isinstance(item.node, ast.alias) for item in bindings):
            return False
        found = self.look_up(head, scope, None)
        for name in rest:
            found = [inner for item in found for inner in self.attribute(item, name)]
        return any(
            isinstance(item, (ValueEntity, PartEntity)) and item.node is entity.node
            for item in found
        )

    def _aliased(self, entities: list[Entity], depth: int) -> list[Entity]:
        result: list[Entity] = []
        for entity in entities:
            if isinstance(entity, ValueEntity) and depth < MAX_DEPTH:
                target = self.resolve(_without_types(entity.node), entity.scope)[:1]
                result += self._aliased(target, depth + 1)
            else:
                result.append(entity)
        return result

    def _in_scope(
        self, name: str, scope: Scope, position: Position | None, depth: int
    ) -> list[Entity]:
        found: list[Entity] = []
        for binding in scope.candidates(name, position):
            if not _is_star(binding):
                found += self._bound(name, binding, scope, depth)
            elif depth <= MAX_DEPTH:
                brought = self._from_star(binding.statement, name, scope, depth + 1)
                found = brought if brought and binding.starts else found + brought
        # ``try: from .config import X`` / ``except ImportError: from config import X``
        return [item for item in found if not _fails(item)] or found

    def _bound(self, name: str, binding: Binding, scope: Scope, depth: int) -> list[Entity]:
        node = binding.node
        if binding.for_checkers:
            place = Place(scope.source, binding.statement)
            why = f"only type checkers see `{name}`, in {place.describe()}"
            return [Unclear(place, name, f"{why}; the running model does not have it")]
        if isinstance(node, ast.ClassDef):
            return [ClassEntity(node, scope, scope.class_scope(node))]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return [FunctionEntity(node, scope)]
        if isinstance(node, ast.expr) and binding.path:
            return [PartEntity(node, binding.path, scope, name)]
        if isinstance(node, ast.expr):
            parameters = parameters_of(binding.statement)
            inner = scope.around(binding.statement) if parameters else scope
            return [ValueEntity(node, inner, name, parameters)]
        if isinstance(node, ast.alias):
            return self._imported(node, binding.statement, scope, depth + 1)
        place = Place(scope.source, binding.statement)
        deleted = f"`{name}` is deleted in {place.describe()}" if binding.is_deleted else ""
        return [Unclear(place, name, deleted)]

    def _imported(
        self, alias: ast.alias, statement: ast.AST, scope: Scope, depth: int
    ) -> list[Entity]:
        if depth > MAX_DEPTH:
            return []
        if isinstance(statement, ast.ImportFrom):
            if statement.level and self._modules.is_main(scope.source):
                return [_failing_import(statement, alias.name, scope)]
            module = self._import_from(statement, scope)
            if module is None:
                return [External(f"{statement.module or ''}.{alias.name}")]
            return self._of_module(module, alias.name, depth)
        # ``import a.b`` binds a; ``import a.b as c`` binds a.b.
        name = alias.name if alias.asname else alias.name.split(".")[0]
        return [self._modules.find(name) or External(name)]

    def _import_from(self, statement: ast.ImportFrom, scope: Scope) -> Module | None:
        name = statement.module or ""
        if not statement.level:
            return self._modules.find(name)
        return self._modules.find_relative(scope.source, statement.level, name)

    def _from_star(self, statement: ast.AST, name: str, scope: Scope, depth: int) -> list[Entity]:
        assert isinstance(statement, ast.ImportFrom)
        module = self._import_from(statement, scope)
        if module is None:
            is_brought = name in star_exports(statement.module or "")
            return [External(f"{statement.module}.{name}")] if is_brought else []
        listed = None if module.scope is None else find_exports(module.scope)
        is_exported = not name.startswith("_") if listed is None else name in listed
        return self._of_module(module, name, depth) if is_exported else []

    def _of_module(self, module: Module, name: str, depth: int) -> list[Entity]:
        found: list[Entity] = []
        if module.scope is not None:
            key = (module.scope, name)
            if key not in self._known:
                self._known[key] = []  # What a circle of imports finds on its way.
                self._known[key] = self._in_scope(name, module.scope, None, depth)
            found = self._known[key]
        if found:
            return found
        submodule = self._modules.submodule(module, name)
        return [submodule] if submodule else []

    def _of_alias(self, owner: ValueEntity, name: str, depth: int) -> list[Entity]:
        """Return what ``Out.name`` may stand for after ``Out = types.Out``."""
        key = (owner.node, name)
        if key not in self._aliases:
            self._aliases[key] = []  # What a circle of names finds on its way.
            targets = self.resolve(owner.node, owner.scope, depth + 1)
            found = [item for target in targets for item in self.attribute(target, name, depth + 1)]
            self._aliases[key] = list(dict.fromkeys(found))
        return self._aliases[key]

    def _of_class(self, owner: ClassEntity, name: str, depth: int) -> list[Entity]:
        for ancestor in self.linearize(owner):
            if isinstance(ancestor, ClassEntity):
                found = self._in_scope(name, ancestor.body, None, depth)
                if found:
                    return found
        return []


def _without_types(node: ast.expr) -> ast.expr:
    """Return the ``Box`` of ``Box[int]``."""
    return node.value if isinstance(node, ast.Subscript) else node


def _failing_import(statement: ast.ImportFrom, name: str, scope: Scope) -> Unclear:
    place = Place(scope.source, statement)
    why = (
        f"`{name}` comes from an import with dots, which fails in {place.describe()}: the file "
        "that cog.yaml names is no part of a package"
    )
    return Unclear(place, name, why)


def _fails(entity: Entity) -> bool:
    return isinstance(entity, Unclear) and bool(entity.failure)


def _is_star(binding: Binding) -> bool:
    return isinstance(binding.node, ast.alias) and binding.node.name == STAR


def _position(node: ast.expr) -> Position:
    return (node.lineno, node.col_offset)
