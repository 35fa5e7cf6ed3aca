"""Classes with named fields, as they are in the running interpreter.

Only what pydantic's classes themselves show is used; pydantic is never imported.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Callable, Optional

from cog._schema.builders import builder
from cog._schema.hints import FieldHint, Hint, Record
from cog.model import BaseModel

_FOREIGN_BASES = ("BaseModel", "GenericModel", "Representation")
"""Pydantic's own classes, whose annotations are no fields."""

_UNDEFINED = ("UndefinedType", "PydanticUndefinedType")


ReadHint = Callable[[Any, type], Hint]
"""Reads an annotation in the body of a class."""


def record(cls: type[Any], read_hint: ReadHint) -> Optional[Record]:
    """Return the hint for a class with fields; None if it is no such class."""
    kind = _kind(cls)
    if kind is None:
        return None
    build = None if kind == "TypedDict" else builder(cls, kind)
    return Record(cls.__name__, kind, cls, lambda: _read_fields(cls, kind, read_hint), build=build)


def _kind(cls: type[Any]) -> Optional[str]:
    if issubclass(cls, BaseModel):
        return "BaseModel"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    if hasattr(cls, "__pydantic_fields__") or hasattr(cls, "__fields__"):
        return "pydantic"
    return "TypedDict" if hasattr(cls, "__total__") and issubclass(cls, dict) else None


def _read_fields(cls: type, kind: str, read_hint: ReadHint) -> tuple[FieldHint, ...]:
    fields: list[FieldHint] = []
    for name, (owner, annotation) in _annotations(cls).items():
        text = annotation if isinstance(annotation, str) else str(annotation)
        if isinstance(annotation, typing.ForwardRef):
            text = annotation.__forward_arg__
        if kind == "TypedDict":
            required = _is_required_key(cls, name, text)
        elif not _is_field(cls, name, text, kind):
            continue
        else:
            required = not _has_default(cls, name, kind)
        hint = read_hint(annotation, owner)
        fields.append(FieldHint(name, hint, required, _is_input(cls, name)))
    return tuple(fields)


def _is_input(cls: type[Any], name: str) -> bool:
    """A dataclass computes what is not in its ``__init__``."""
    if not dataclasses.is_dataclass(cls):
        return True
    return all(field.init for field in dataclasses.fields(cls) if field.name == name)


def _annotations(cls: type) -> dict[str, tuple[type, Any]]:
    """Return all annotated names in the order of definition, base classes first."""
    found: dict[str, tuple[type, Any]] = {}
    for owner in reversed(cls.__mro__):
        if owner.__name__ in _FOREIGN_BASES and owner.__module__.startswith("pydantic"):
            continue
        # Only of the class itself: ``owner.__annotations__`` may be those of a base.
        for name, annotation in vars(owner).get("__annotations__", {}).items():
            found[name] = (owner, annotation)
    return found


def _is_field(cls: type, name: str, annotation: str, kind: str) -> bool:
    """Class variables, and pydantic's private attributes, are no fields."""
    if kind == "pydantic" and (name.startswith("_") or name == "model_config"):
        return False
    if dataclasses.is_dataclass(cls):
        return any(field.name == name for field in dataclasses.fields(cls))
    return annotation.split("[")[0].rsplit(".", 1)[-1] != "ClassVar"


def _is_required_key(cls: type, name: str, annotation: str) -> bool:
    head = annotation.split("[")[0].rsplit(".", 1)[-1]
    if head in ("Required", "NotRequired"):
        return head == "Required"
    return name in getattr(cls, "__required_keys__", ())


def _has_default(cls: type[Any], name: str, kind: str) -> bool:
    if kind == "pydantic":
        return _pydantic_has_default(cls, name)
    if dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            if field.name == name:
                no_factory = field.default_factory is dataclasses.MISSING
                return field.default is not dataclasses.MISSING or not no_factory
    return hasattr(cls, name)


def _pydantic_has_default(cls: Any, name: str) -> bool:
    # Pydantic 1 has a ModelField around its FieldInfo, pydantic 2 only the FieldInfo.
    fields = getattr(cls, "__pydantic_fields__", None) or cls.__fields__
    info = getattr(fields[name], "field_info", fields[name])
    if info.default_factory is not None:
        return True
    return info.default is not Ellipsis and type(info.default).__name__ not in _UNDEFINED
