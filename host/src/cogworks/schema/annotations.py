"""From annotations in the author's source to hints.

What the live front end learns from objects is learned from names here; see
``cog._schema.hints`` for what both make of it.
"""

from __future__ import annotations

import ast
import types
from dataclasses import replace

from cog._schema.generics import close, close_bare, variables_in
from cog._schema.hints import (
    INNER_INPUT,
    INNER_INPUT_ADVICE,
    LEADS_TO_ITSELF,
    OF_SEVERAL,
    Foreign,
    Hint,
    Known,
    Record,
    Variable,
    leads_to_itself,
    union,
    unspecified,
)
from cogworks.schema.choices import Choices, Written
from cogworks.schema.classes import Classes
from cogworks.schema.entities import (
    ClassEntity,
    Entity,
    External,
    ParameterEntity,
    Unclear,
    ValueEntity,
)
from cogworks.schema.externals import canonical, external_name, parse_string
from cogworks.schema.generics import Generics, arguments_of
from cogworks.schema.input_calls import InputCalls
from cogworks.schema.known_types import KNOWN, external_hint
from cogworks.schema.literals import Folder
from cogworks.schema.names import MAX_DEPTH, Names
from cogworks.schema.records import Records
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of

ENUM_CALLS = ("enum.Enum", "enum.IntEnum", "enum.StrEnum")
ENUM_ADVICE = "Write it as a class: `class Size(Enum):`, with a line for each member."

_QUALIFIERS = ("typing.Required", "typing.NotRequired", "typing.ReadOnly", "typing.Final")


class Annotations:
    """Reads the annotations of one project."""

    def __init__(self, names: Names, classes: Classes, folder: Folder) -> None:
        """Look names up in ``names``, ancestors in ``classes``, values in ``folder``."""
        self._names = names
        self._classes = classes
        self._choices = Choices(folder)
        self._calls = InputCalls(names, folder)
        self._aliases: dict[ValueEntity, Hint] = {}
        self.generics = Generics(names, self._read_part)
        self.records = Records(names, classes, self.read, self.generics)

    def read(self, node: ast.expr, scope: Scope, depth: int = 0) -> Hint:
        """Return the hint for an annotation; what is not understood becomes a ``Foreign``."""
        place = Place(scope.source, node)
        if depth > MAX_DEPTH:
            return Foreign(text_of(node), f"{text_of(node)} leads to itself", "", place)
        match node:
            case ast.Constant(value=None):
                return Known("None", (), place)
            case ast.Constant(value=types.EllipsisType()):
                return Known("...", (), place)
            case ast.Constant(value=str()):
                return self._read_string(node, scope, depth)
            case ast.BinOp(op=ast.BitOr()):
                members = [
                    self._read_part(side, scope, depth + 1) for side in (node.left, node.right)
                ]
                return union(members, place)
            case ast.Name() | ast.Attribute():
                return self._read_name(node, scope, depth)
            case ast.Subscript():
                return self._read_generic(node, scope, depth)
            case ast.Starred():
                return Foreign(text_of(node), OF_SEVERAL, "", place)
            case _:
                return Foreign(text_of(node), "", "", place)

    def find_metadata(
        self, node: ast.expr, scope: Scope, depth: int = 0
    ) -> list[tuple[ast.expr, Scope]]:
        """Return what ``Annotated[T, ...]`` holds beside the type; nothing for anything else."""
        if depth > MAX_DEPTH:
            return []
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parsed = parse_string(node)
            return self.find_metadata(parsed, scope, depth + 1) if parsed else []
        if isinstance(node, (ast.Name, ast.Attribute)):  # An alias: ``Count = Annotated[...]``.
            for entity in self._names.resolve(node, scope):
                if isinstance(entity, ValueEntity):
                    return self.find_metadata(entity.node, entity.scope, depth + 1)
        if not isinstance(node, ast.Subscript):
            return []
        if self._external(node.value, scope) != "typing.Annotated":
            # ``Few[int]``, after ``type Few[T] = Annotated[list[T], ...]``.
            return self.find_metadata(node.value, scope, depth + 1)
        inner, *metadata = arguments_of(node)
        own = [(item, scope) for item in metadata]
        return [*self.find_metadata(inner, scope, depth + 1), *own]

    def _read_part(self, node: ast.expr, scope: Scope, depth: int = 0) -> Hint:
        """Read what stands inside of another type, where no ``Input(...)`` can be."""
        hint = self.read(node, scope, depth)
        if isinstance(hint, Foreign):
            return hint
        for metadata, owner in self.find_metadata(node, scope):
            if self._calls.find(metadata, owner) is not None:
                place = Place(scope.source, node)
                return Foreign(text_of(node), INNER_INPUT, INNER_INPUT_ADVICE, place)
        return hint

    def _read_string(self, node: ast.Constant, scope: Scope, depth: int) -> Hint:
        parsed = parse_string(node)
        if parsed is None:
            problem = f"{text_of(node)} is not an annotation"
            return Foreign(text_of(node), problem, "", Place(scope.source, node))
        return self.read(parsed, scope, depth + 1)

    def _read_name(self, node: ast.expr, scope: Scope, depth: int) -> Hint:
        entities = self._names.resolve(node, scope)
        return _the_one(
            [self._read_entity(entity, node, scope, depth) for entity in entities],
            node,
            Place(scope.source, node),
        )

    def _read_entity(self, entity: Entity, node: ast.expr, scope: Scope, depth: int) -> Hint:
        place = Place(scope.source, node)
        if isinstance(entity, External):
            return external_hint(entity, text_of(node), place)
        if isinstance(entity, ClassEntity):
            hint = self._read_class(entity, place)
            return close_bare(hint, place) if isinstance(hint, Record) else hint
        if isinstance(entity, ParameterEntity):
            return replace(self.generics.variable(entity.parameter, entity.scope), where=place)
        if isinstance(entity, ValueEntity):  # An alias: ``Image = Path``.
            return self._read_alias(entity, node, place, depth)
        problem = f"{text_of(node)} is not a type"
        if isinstance(entity, Unclear) and entity.failure:
            problem = entity.failure
        return Foreign(text_of(node), problem, "", place)

    def _read_alias(self, entity: ValueEntity, node: ast.expr, place: Place, depth: int) -> Hint:
        hint = self._template_of_alias(entity, depth)
        if entity.parameters:
            hint = close(hint, entity.name, self._declared(entity), (), place)
        if isinstance(hint, Foreign):
            return replace(hint, text=text_of(node), where=place)
        return replace(hint, where=place) if isinstance(hint, Variable) else hint

    def _template_of_alias(self, entity: ValueEntity, depth: int) -> Hint:
        """Return what an alias stands for, with its parameters in their places."""
        if entity not in self._aliases:
            # What a name finds that leads back to itself.
            name = entity.name
            self._aliases[entity] = Foreign(name, leads_to_itself(name), LEADS_TO_ITSELF)
            self._aliases[entity] = self._read_value(entity.node, entity.scope, depth + 1)
        return self._aliases[entity]

    def _declared(self, entity: ValueEntity) -> tuple[Variable, ...]:
        return tuple(self.generics.variable(item, entity.scope) for item in entity.parameters)

    def _read_value(self, node: ast.expr, scope: Scope, depth: int) -> Hint:
        """Read what a name of a type was assigned: ``NewType``, or an annotation."""
        if not isinstance(node, ast.Call):
            return self.read(node, scope, depth)
        name = self._external(node.func, scope)
        if name == "typing.NewType" and len(node.args) == 2:
            return self.read(node.args[1], scope, depth)
        if name == "typing.TypeAliasType" and len(node.args) == 2:
            return self.read(node.args[1], scope, depth)
        variable = self.generics.find_variable(node, scope)
        if variable is not None:
            return variable
        place = Place(scope.source, node)
        if name == "typing.TypedDict":
            record = self.records.find_called(node, scope, place)
            if record is not None:
                return record
        if name in ENUM_CALLS:
            problem = f"{text_of(node)} is an enum whose members are not read from a call"
            return Foreign(text_of(node), problem, ENUM_ADVICE, place)
        return Foreign(text_of(node), "", "", place)

    def _read_class(self, entity: ClassEntity, place: Place) -> Hint:
        for ancestor in self._classes.linearize(entity):
            if isinstance(ancestor, External):
                name = KNOWN.get(canonical(ancestor.name))
                if name in ("Path", "File", "Secret"):
                    return Known(name, (), place)
        enumeration = self._choices.find_enum(entity, place)
        if enumeration is not None:
            return enumeration
        record = self.records.find(entity, place)
        return record or Foreign(entity.node.name, "", "", place)

    def _read_generic(self, node: ast.Subscript, scope: Scope, depth: int) -> Hint:
        place = Place(scope.source, node)
        name = self._external(node.value, scope)
        arguments = arguments_of(node)
        if name == "typing.Annotated":
            inner = self.read(arguments[0], scope, depth + 1)
            is_opaque = any(self._is_opaque(item, scope) for item in arguments[1:])
            return unspecified(inner, place) if is_opaque else inner
        if name in _QUALIFIERS:
            return self.read(arguments[0], scope, depth + 1)
        if name in ("typing.Optional", "typing.Union"):
            members = [self._read_part(argument, scope, depth + 1) for argument in arguments]
            if name == "typing.Optional":
                members.append(Known("None"))
            return union(members, place)
        if name == "typing.Literal":
            return self._choices.read_literal(node, self._literal_values(node, scope), scope)
        hints = tuple(self._read_part(argument, scope, depth + 1) for argument in arguments)
        known = KNOWN.get(name)
        if known is not None:
            return Known(known, () if known == "Path" else hints, place)
        if isinstance(node.value, ast.Subscript):  # ``Many[T][int]``
            template = self.read(node.value, scope, depth + 1)
            name = text_of(node.value)
            return close(template, name, variables_in(template), hints, place)
        found = self._names.resolve(node.value, scope)
        return _the_one(
            [self._fill(item, node, hints, scope, depth) for item in found], node, place
        )

    def _fill(
        self, entity: Entity, node: ast.Subscript, hints: tuple[Hint, ...], scope: Scope, depth: int
    ) -> Hint:
        """Read ``Box[int]``, where ``entity`` is the ``Box``."""
        place = Place(scope.source, node)
        if isinstance(entity, ClassEntity):
            template = self._read_class(entity, place)
            if isinstance(template, Record):
                return close(template, template.name, template.parameters, hints, place)
        elif isinstance(entity, ValueEntity):
            return self._fill_alias(entity, node, hints, place, depth)
        else:
            template = self._read_entity(entity, node.value, scope, depth)
        if isinstance(template, Foreign):
            return Foreign(text_of(node), template.problem, template.advice, place)
        return Foreign(text_of(node), "", "", place) if isinstance(template, Variable) else template

    def _fill_alias(
        self,
        entity: ValueEntity,
        node: ast.Subscript,
        hints: tuple[Hint, ...],
        place: Place,
        depth: int,
    ) -> Hint:
        template = self._template_of_alias(entity, depth)
        if isinstance(template, Foreign):
            return replace(template, text=text_of(node), where=place)
        parameters = self._declared(entity) or self._parameters_of_call(entity)
        if not parameters and isinstance(template, Variable):
            return Foreign(text_of(node), "", "", place)
        if not parameters and isinstance(entity.node, (ast.Name, ast.Attribute)):
            # Another name of a class or an alias: ``B = Box``.
            found = self._names.resolve(entity.node, entity.scope)
            filled = [self._fill(item, node, hints, entity.scope, depth + 1) for item in found]
            return _the_one(filled, node, place)
        parameters = parameters or variables_in(template)
        return close(template, entity.name, parameters, hints, place)

    def _parameters_of_call(self, entity: ValueEntity) -> tuple[Variable, ...]:
        """Return the parameters of ``TypeAliasType("L", list[T], type_params=(T,))``."""
        node = entity.node
        if not isinstance(node, ast.Call):
            return ()
        listed = [item.value for item in node.keywords if item.arg == "type_params"]
        items = [item for value in listed if isinstance(value, ast.Tuple) for item in value.elts]
        hints = [self.read(item, entity.scope) for item in items]
        return tuple(hint for hint in hints if isinstance(hint, Variable))

    def _literal_values(self, node: ast.Subscript, scope: Scope, depth: int = 0) -> list[Written]:
        """Return the values of ``Literal[A, "b"]``, where ``A`` may be another ``Literal``."""
        found: list[Written] = []
        for argument in arguments_of(node):
            inner = argument
            where = scope
            for entity in self._names.resolve(argument, scope)[:1] if depth < MAX_DEPTH else []:
                if isinstance(entity, ValueEntity):
                    inner, where = entity.node, entity.scope
            is_literal = isinstance(inner, ast.Subscript) and (
                self._external(inner.value, where) == "typing.Literal"
            )
            if is_literal and isinstance(inner, ast.Subscript):
                found += self._literal_values(inner, where, depth + 1)
            else:
                found.append((argument, scope))
        return found

    def _is_opaque(self, node: ast.expr, scope: Scope) -> bool:
        marker = node.func if isinstance(node, ast.Call) else node
        return self._external(marker, scope) == "cog.Opaque"

    def _external(self, node: ast.expr, scope: Scope) -> str:
        return external_name(self._names, node, scope)


def _the_one(hints: list[Hint], node: ast.expr, place: Place) -> Hint:
    """Return the hint for a name that may stand for several things, under conditions."""
    # ``try: from a import T`` / ``except ImportError: from b import T``
    usable = [hint for hint in hints if not isinstance(hint, Foreign)]
    if usable and any(hint != usable[0] for hint in usable):
        problem = f"{text_of(node)} is one of several types, under conditions"
        return Foreign(text_of(node), problem, "", place)
    if hints:
        return usable[0] if usable else hints[0]
    problem = f"cannot resolve type '{text_of(node)}': the name is not found"
    return Foreign(text_of(node), problem, "", place)
