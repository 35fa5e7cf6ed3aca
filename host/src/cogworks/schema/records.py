"""The fields of the author's BaseModels, dataclasses, pydantic models and TypedDicts."""

from __future__ import annotations

import ast
from collections.abc import Callable

from cog._schema.hints import FieldHint, Hint, Record
from cogworks.schema.classes import Ancestor, Classes
from cogworks.schema.entities import ClassEntity, External
from cogworks.schema.externals import canonical, external_name, parse_string
from cogworks.schema.names import Names
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place

_BASES = {
    "cog.BaseModel": "BaseModel",
    "pydantic.BaseModel": "pydantic",
    "pydantic.main.BaseModel": "pydantic",
    "pydantic.v1.BaseModel": "pydantic",
    "typing.TypedDict": "TypedDict",
}

_NO_FIELDS = ("typing.ClassVar", "dataclasses.InitVar", "dataclasses.KW_ONLY")
_DATACLASS = ("dataclasses.dataclass", "pydantic.dataclasses.dataclass")
_PYDANTIC_FIELD = ("pydantic.Field", "pydantic.fields.Field", "pydantic.v1.Field")

ReadHint = Callable[[ast.expr, Scope], Hint]


class Records:
    """Reads the classes with fields of one project."""

    def __init__(self, names: Names, classes: Classes, read_hint: ReadHint) -> None:
        """Read the annotations of fields with ``read_hint``."""
        self._names = names
        self._classes = classes
        self._read_hint = read_hint

    def find(self, entity: ClassEntity, place: Place) -> Record | None:
        """Return the hint for a class with fields; None if it is no such class."""
        ancestors = self._classes.linearize(entity)
        kind = self._kind(ancestors)
        if kind is None:
            return None
        return Record(
            entity.node.name,
            kind,
            entity.node,
            lambda: self._read_fields(ancestors, kind),
            place,
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

    def _read_fields(self, ancestors: list[Ancestor], kind: str) -> tuple[FieldHint, ...]:
        found: dict[str, FieldHint] = {}
        for entity in reversed(ancestors):
            if isinstance(entity, External):
                continue
            # The annotations of a class between two dataclasses are no fields.
            if kind == "dataclass" and not self._is_dataclass(entity):
                continue
            for name, statement in entity.body.annotations.items():
                if self._is_field(name, statement, entity.body, kind):
                    hint = self._read_hint(statement.annotation, entity.body)
                    required = self._is_required(statement, entity, kind)
                    found[name] = FieldHint(name, hint, required)
        return tuple(found.values())

    def _is_field(self, name: str, statement: ast.AnnAssign, scope: Scope, kind: str) -> bool:
        if kind == "pydantic" and (name.startswith("_") or name == "model_config"):
            return False
        return self._head(statement.annotation, scope) not in _NO_FIELDS

    def _is_required(self, statement: ast.AnnAssign, entity: ClassEntity, kind: str) -> bool:
        if kind == "TypedDict":
            head = self._head(statement.annotation, entity.body)
            if head in ("typing.Required", "typing.NotRequired"):
                return head == "typing.Required"
            return _is_total(entity.node)
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


def _is_total(node: ast.ClassDef) -> bool:
    for keyword in node.keywords:
        if keyword.arg == "total" and isinstance(keyword.value, ast.Constant):
            return bool(keyword.value.value)
    return True


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
