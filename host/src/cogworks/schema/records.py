"""The fields of the author's BaseModels, dataclasses, pydantic models and TypedDicts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cog._schema.generics import Filling, fill
from cog._schema.given import Given
from cog._schema.hints import FieldHint, Hint, Record
from cog._schema.types import MISSING
from cogworks.schema.classes import Ancestor, Classes
from cogworks.schema.entities import ClassEntity, External
from cogworks.schema.externals import canonical, external_name, parse_string
from cogworks.schema.generics import Generics
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place

_BASES = {
    "cog.BaseModel": "BaseModel",
    "pydantic.BaseModel": "pydantic",
    "pydantic.main.BaseModel": "pydantic",
    "pydantic.v1.BaseModel": "pydantic",
    "pydantic.generics.GenericModel": "pydantic",
    "pydantic.v1.generics.GenericModel": "pydantic",
    "typing.TypedDict": "TypedDict",
}

_NO_FIELDS = ("typing.ClassVar", "dataclasses.InitVar", "dataclasses.KW_ONLY")
_DATACLASS = ("dataclasses.dataclass", "pydantic.dataclasses.dataclass")
_PYDANTIC_FIELD = ("pydantic.Field", "pydantic.fields.Field", "pydantic.v1.Field")

ReadHint = Callable[[ast.expr, Scope], Hint]
ReadGiven = Callable[[str, ast.AnnAssign, Scope], Given | None]
"""Reads what the ``Input(...)`` of a field says; None if it has none."""


def _nothing_given(name: str, statement: ast.AnnAssign, scope: Scope) -> Given | None:
    return None


@dataclass(frozen=True)
class Parameter:
    """A field of a class that its constructor takes; ``value`` is what follows the ``=``."""

    name: str
    value: ast.expr | None
    scope: Scope
    statement: ast.AnnAssign | None = None


class Records:
    """Reads the classes with fields of one project."""

    def __init__(
        self, names: Names, classes: Classes, read_hint: ReadHint, generics: Generics
    ) -> None:
        """Read the annotations of fields with ``read_hint``."""
        self._generics = generics
        self._fields: dict[ast.ClassDef, tuple[FieldHint, ...]] = {}
        self._names = names
        self._classes = classes
        self._read_hint = read_hint
        self._read_given: ReadGiven = _nothing_given

    def use_inputs(self, read_given: ReadGiven) -> None:
        """Read what is given to fields with ``read_given``, which itself needs the records."""
        self._read_given = read_given

    def find(self, entity: ClassEntity, place: Place) -> Record | None:
        """Return the hint for a class with fields; None if it is no such class.

        The parameters of a generic class stand for themselves in it.
        """
        ancestors = self._classes.linearize(entity)
        kind = self._kind(ancestors)
        if kind is None:
            return None
        parameters = self._generics.parameters(entity)
        return Record(
            entity.node.name,
            kind,
            entity.node,
            lambda: self._read_fields(entity, ancestors, kind),
            place,
            parameters=parameters,
            args=parameters,
        )

    def find_called(self, call: ast.Call, scope: Scope, place: Place) -> Record | None:
        """Return the hint for ``TypedDict("Size", {"width": int})``; None if its keys are not written there."""
        name, items = (*call.args, None, None)[:2]
        if not isinstance(name, ast.Constant) or not isinstance(items, ast.Dict):
            return None
        keys = [key.value for key in items.keys if isinstance(key, ast.Constant)]
        if len(keys) < len(items.keys) or not all(isinstance(key, str) for key in keys):
            return None
        is_total = _is_total(call)
        return Record(
            str(name.value),
            "TypedDict",
            call,
            lambda: tuple(
                FieldHint(
                    str(key),
                    self._read_hint(annotation, scope),
                    self._is_required_key(annotation, scope, is_total=is_total),
                )
                for key, annotation in zip(keys, items.values, strict=True)
            ),
            place,
        )

    def constructor(self, entity: ClassEntity) -> list[Parameter]:
        """Return what an instance of a class with fields is made of, in order; nothing if none."""
        ancestors = self._classes.linearize(entity)
        kind = self._kind(ancestors)
        if kind in (None, "TypedDict"):
            return []
        found: dict[str, Parameter] = {}
        for owner in self._owners(ancestors, kind):
            for name, statement in owner.body.annotations.items():
                if self._is_field(name, statement, owner.body, kind) and self._is_input(
                    statement.value, owner.body
                ):
                    found[name] = Parameter(name, statement.value, owner.body, statement)
        return list(found.values())

    def given_to(self, parameter: Parameter) -> Given | None:
        """Return what a field's ``Input(...)`` says; None if it has none."""
        if parameter.statement is None:
            return None
        return self._read_given(parameter.name, parameter.statement, parameter.scope)

    def default_of(self, parameter: Parameter) -> tuple[str, ast.expr | None]:
        """Return how a field's default is made: ``value`` or ``factory``, and of what."""
        value = parameter.value
        if not isinstance(value, ast.Call):
            return "value", None if value is None or _is_ellipsis(value) else value
        name = self._external(value.func, parameter.scope)
        if name != "dataclasses.field" and name not in _PYDANTIC_FIELD:
            return "value", value
        for keyword in value.keywords:
            if keyword.arg in ("default", "default_factory"):
                return ("value" if keyword.arg == "default" else "factory"), keyword.value
        return "value", value.args[0] if value.args else None

    def _owners(self, ancestors: list[Ancestor], kind: str | None) -> list[ClassEntity]:
        """Return the classes that have fields, base classes first."""
        classes = [item for item in reversed(ancestors) if isinstance(item, ClassEntity)]
        # The annotations of a class between two dataclasses are no fields.
        if kind == "dataclass":
            return [item for item in classes if self._is_dataclass(item)]
        if kind == "BaseModel" and not any(_is_left_alone(item.node) for item in classes):
            return [item for item in classes if self._is_model(item)]
        return classes

    def _is_model(self, entity: ClassEntity) -> bool:
        """Tell whether a class is a dataclass because it is a BaseModel of ours."""
        return any(
            isinstance(item, External) and canonical(item.name) == "cog.BaseModel"
            for item in self._classes.linearize(entity)
        )

    def _kind(self, ancestors: list[Ancestor]) -> str | None:
        for ancestor in ancestors:
            if isinstance(ancestor, External):
                kind = _BASES.get(canonical(ancestor.name))
                if kind is not None:
                    return kind
        is_dataclass = any(
            isinstance(item, ClassEntity) and self._is_dataclass(item) for item in ancestors
        )
        return "dataclass" if is_dataclass else None

    def _is_dataclass(self, entity: ClassEntity) -> bool:
        return any(
            self._external(item.func if isinstance(item, ast.Call) else item, entity.scope)
            in _DATACLASS
            for item in entity.node.decorator_list
        )

    def _read_fields(
        self, cls: ClassEntity, ancestors: list[Ancestor], kind: str
    ) -> tuple[FieldHint, ...]:
        if cls.node not in self._fields:
            self._fields[cls.node] = tuple(self._collect_fields(cls, ancestors, kind))
        return self._fields[cls.node]

    def _collect_fields(
        self, cls: ClassEntity, ancestors: list[Ancestor], kind: str
    ) -> Iterable[FieldHint]:
        found: dict[str, FieldHint] = {}
        fillings = self._generics.fillings(cls)
        for entity in self._owners(ancestors, kind):
            filling = fillings.get(entity.node, Filling())
            for name, statement in entity.body.annotations.items():
                if self._is_field(name, statement, entity.body, kind):
                    hint = fill(self._read_hint(statement.annotation, entity.body), filling)
                    required = self._is_required(statement, entity, kind)
                    is_input = self._is_input(statement.value, entity.body)
                    place = f"{cls.node.name}.{name}"
                    given = self._read_given(place, statement, entity.body)
                    if given is not None:
                        required = given.default is MISSING
                    found[name] = FieldHint(name, hint, required, is_input, given)
        return found.values()

    def _is_field(self, name: str, statement: ast.AnnAssign, scope: Scope, kind: str) -> bool:
        if kind == "pydantic" and (name.startswith("_") or name == "model_config"):
            return False
        return self._head(statement.annotation, scope) not in _NO_FIELDS

    def _is_input(self, value: ast.expr | None, scope: Scope) -> bool:
        """A dataclass computes what is a ``field(init=False)``."""
        if not isinstance(value, ast.Call):
            return True
        if self._external(value.func, scope) != "dataclasses.field":
            return True
        return not any(
            item.arg == "init" and isinstance(item.value, ast.Constant) and not item.value.value
            for item in value.keywords
        )

    def _is_required(self, statement: ast.AnnAssign, entity: ClassEntity, kind: str) -> bool:
        if kind == "TypedDict":
            is_total = _is_total(entity.node)
            return self._is_required_key(statement.annotation, entity.body, is_total=is_total)
        value = statement.value
        if value is None:
            return not self._has_annotated_default(statement.annotation, entity.body)
        if kind == "pydantic" and _is_ellipsis(value):
            return True
        if not isinstance(value, ast.Call):
            return False
        name = self._external(value.func, entity.body)
        if name == "dataclasses.field" or name in _PYDANTIC_FIELD:
            return not _gives_default(value)
        return False

    def _is_required_key(self, annotation: ast.expr, scope: Scope, *, is_total: bool) -> bool:
        head = self._head(annotation, scope)
        if head in ("typing.Required", "typing.NotRequired"):
            return head == "typing.Required"
        return is_total

    def _has_annotated_default(self, annotation: ast.expr, scope: Scope) -> bool:
        """Whether there is an ``Annotated[T, Field(default=...)]``."""
        if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
            return False
        return any(
            isinstance(item, ast.Call)
            and self._external(item.func, scope) in _PYDANTIC_FIELD
            and _gives_default(item)
            for item in annotation.slice.elts[1:]
        )

    def _head(self, node: ast.expr, scope: Scope) -> str:
        """Return the name of ``ClassVar[...]``, also in a string."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = parse_string(node) or node
        return self._external(node.value if isinstance(node, ast.Subscript) else node, scope)

    def _external(self, node: ast.expr, scope: Scope) -> str:
        return external_name(self._names, node, scope)


def _is_total(node: ast.ClassDef | ast.Call) -> bool:
    for keyword in node.keywords:
        if keyword.arg == "total" and isinstance(keyword.value, ast.Constant):
            return bool(keyword.value.value)
    return True


def _is_left_alone(node: ast.ClassDef) -> bool:
    """Tell whether ``auto_dataclass=False`` makes no dataclass of a BaseModel."""
    return any(
        item.arg == "auto_dataclass"
        and isinstance(item.value, ast.Constant)
        and not item.value.value
        for item in node.keywords
    )


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _gives_default(call: ast.Call) -> bool:
    """Whether ``field(...)`` or ``Field(...)`` has a default; pydantic's comes first, too."""
    if call.args:
        return not _is_ellipsis(call.args[0])
    return any(
        keyword.arg == "default_factory"
        or (keyword.arg == "default" and not _is_ellipsis(keyword.value))
        for keyword in call.keywords
    )
