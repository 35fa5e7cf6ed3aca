"""From annotations in the author's source to hints.

What the live front end learns from objects is learned from names here; see
``cog._schema.hints`` for what both make of it.
"""

from __future__ import annotations

import ast
import types
from dataclasses import replace

from cog._schema.hints import (
    FILLED_IN_ADVICE,
    INNER_INPUT,
    INNER_INPUT_ADVICE,
    Foreign,
    Hint,
    Known,
    filled_in,
    union,
    unspecified,
)
from cogworks.schema.choices import Choices
from cogworks.schema.classes import Classes
from cogworks.schema.entities import ClassEntity, Entity, External, Unclear, ValueEntity
from cogworks.schema.externals import canonical, external_name, parse_string
from cogworks.schema.input_calls import InputCalls
from cogworks.schema.literals import Folder
from cogworks.schema.names import MAX_DEPTH, Names
from cogworks.schema.records import Records
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place, text_of

EXTERNAL_ADVICE = (
    "Use Annotated[{name}, Opaque] (from cog import Opaque) for an object of any shape, "
    "or define a BaseModel in the project."
)

_BUILTINS = ("bool", "int", "float", "str", "dict", "list", "tuple", "set", "frozenset")

ENUM_CALLS = ("enum.Enum", "enum.IntEnum", "enum.StrEnum")
ENUM_ADVICE = "Write it as a class: `class Size(Enum):`, with a line for each member."

ITERATORS = ("Iterator", "AsyncIterator", "Generator", "AsyncGenerator")

_KNOWN: dict[str, str] = {
    **{f"builtins.{name}": name for name in _BUILTINS},
    "typing.Any": "Any",
    **{f"typing.{name}": "dict" for name in ("Dict", "Mapping", "MutableMapping")},
    **{f"typing.{name}": "list" for name in ("List", "Sequence", "MutableSequence")},
    "typing.Tuple": "tuple",
    # ``Set`` of ``typing`` is the class, that of ``collections.abc`` what it has in common.
    **{f"typing.{name}": "set" for name in ("Set", "AbstractSet", "MutableSet")},
    "typing.FrozenSet": "frozenset",
    **{f"typing.{name}": name for name in ITERATORS},
    **{f"datetime.{name}": name for name in ("datetime", "date", "time")},
    "uuid.UUID": "UUID",
    "cog.AsyncConcatenateIterator": "AsyncConcatenateIterator",
    "cog.ConcatenateIterator": "ConcatenateIterator",
    "cog.File": "File",
    "cog.Path": "Path",
    "cog.Secret": "Secret",
    "cog.URLFile": "File",
    "cog.URLPath": "Path",
    "os.PathLike": "Path",
    **{
        f"pathlib.{name}": "Path"
        for name in ("Path", "PosixPath", "PurePath", "PurePosixPath", "WindowsPath")
    },
}

_QUALIFIERS = ("typing.Required", "typing.NotRequired", "typing.ReadOnly", "typing.Final")

_UNDERSTOOD = ("builtins", "typing", "collections", "datetime", "enum")
"""Modules whose types we know, so that one that is not supported needs no other reason."""


class Annotations:
    """Reads the annotations of one project."""

    def __init__(self, names: Names, classes: Classes, folder: Folder) -> None:
        """Look names up in ``names``, ancestors in ``classes``, values in ``folder``."""
        self._names = names
        self._classes = classes
        self._choices = Choices(folder)
        self._calls = InputCalls(names, folder)
        self._aliases: dict[ValueEntity, Hint] = {}
        self.records = Records(names, classes, self.read)

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
            return []
        inner, *metadata = _arguments(node)
        own = [(item, scope) for item in metadata]
        return [*self.find_metadata(inner, scope, depth + 1), *own]

    def _read_part(self, node: ast.expr, scope: Scope, depth: int) -> Hint:
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
        hints = [self._read_entity(entity, node, scope, depth) for entity in entities]
        # ``try: from a import T`` / ``except ImportError: from b import T``
        usable = [hint for hint in hints if not isinstance(hint, Foreign)]
        if usable and any(hint != usable[0] for hint in usable):
            problem = f"{text_of(node)} is one of several types, under conditions"
            return Foreign(text_of(node), problem, "", Place(scope.source, node))
        if usable:
            return usable[0]
        if hints:
            return hints[0]
        problem = f"cannot resolve type '{text_of(node)}': the name is not found"
        return Foreign(text_of(node), problem, "", Place(scope.source, node))

    def _read_entity(self, entity: Entity, node: ast.expr, scope: Scope, depth: int) -> Hint:
        place = Place(scope.source, node)
        if isinstance(entity, External):
            return _external_hint(entity, text_of(node), place)
        if isinstance(entity, ClassEntity):
            return self._read_class(entity, place)
        if isinstance(entity, ValueEntity):  # An alias: ``Image = Path``.
            return self._read_alias(entity, node, place, depth)
        problem = f"{text_of(node)} is not a type"
        if isinstance(entity, Unclear) and entity.failure:
            problem = entity.failure
        return Foreign(text_of(node), problem, "", place)

    def _read_alias(self, entity: ValueEntity, node: ast.expr, place: Place, depth: int) -> Hint:
        if entity not in self._aliases:
            # What a name finds that leads back to itself.
            self._aliases[entity] = Foreign(entity.name)
            self._aliases[entity] = self._read_value(entity.node, entity.scope, depth + 1)
        hint = self._aliases[entity]
        return replace(hint, text=text_of(node), where=place) if isinstance(hint, Foreign) else hint

    def _read_value(self, node: ast.expr, scope: Scope, depth: int) -> Hint:
        """Read what a name of a type was assigned: ``NewType``, or an annotation."""
        if not isinstance(node, ast.Call):
            return self.read(node, scope, depth)
        name = self._external(node.func, scope)
        if name == "typing.NewType" and len(node.args) == 2:
            return self.read(node.args[1], scope, depth)
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
                name = _KNOWN.get(canonical(ancestor.name))
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
        arguments = _arguments(node)
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
            return self._choices.read_literal(node, arguments, scope)
        known = _KNOWN.get(name)
        if known is None:
            bare = self.read(node.value, scope, depth + 1)
            if not isinstance(bare, Foreign):
                return Foreign(text_of(node), filled_in(text_of(node)), FILLED_IN_ADVICE, place)
            return Foreign(text_of(node), bare.problem, bare.advice, place)
        hints = tuple(self._read_part(argument, scope, depth + 1) for argument in arguments)
        return Known(known, () if known == "Path" else hints, place)

    def _is_opaque(self, node: ast.expr, scope: Scope) -> bool:
        marker = node.func if isinstance(node, ast.Call) else node
        return self._external(marker, scope) == "cog.Opaque"

    def _external(self, node: ast.expr, scope: Scope) -> str:
        return external_name(self._names, node, scope)


def _external_hint(entity: External, text: str, place: Place) -> Hint:
    name = canonical(entity.name)
    if name in _KNOWN:
        return Known(_KNOWN[name], (), place)
    if name == "types.NoneType":
        return Known("None", (), place)
    module = entity.module
    if module.split(".")[0] in _UNDERSTOOD or name.startswith("typing."):
        return Foreign(text, "", "", place)
    problem = (
        f"cannot resolve type '{text}' (imported from '{module or entity.name}') - "
        "external types cannot be statically analyzed"
    )
    return Foreign(text, problem, EXTERNAL_ADVICE.format(name=text), place)


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
