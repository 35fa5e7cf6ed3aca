"""Classes with named fields, as they are in the running interpreter.

Only what pydantic's classes themselves show is used; pydantic is never imported.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Callable, Optional, cast

from cog._schema.ancestors import ReadHint, annotations_of, fillings_of
from cog._schema.builders import builder, pydantic_builder
from cog._schema.generics import Filling, fill
from cog._schema.given_live import PLAIN_FACTORIES, given_by
from cog._schema.hints import FieldHint, Record, Variable
from cog._schema.live_generics import parameters_of
from cog._schema.types import COMPUTED, MISSING
from cog.input import FieldInfo
from cog.model import BaseModel

_UNDEFINED = ("UndefinedType", "PydanticUndefinedType")


ReadMetadata = Callable[[Any, type], tuple[Any, ...]]
"""Reads what ``Annotated`` holds beside the type."""


def _no_metadata(annotation: Any, owner: type) -> tuple[Any, ...]:
    return ()


def record(
    cls: type[Any], read_hint: ReadHint, read_metadata: ReadMetadata = _no_metadata
) -> Optional[Record]:
    """Return the hint for a class with fields; None if it is no such class.

    The parameters of a generic class stand for themselves in it.
    """
    kind = _kind(cls)
    if kind is None:
        return None
    parameters = parameters_of(cls)
    variables = tuple(read_hint(item, cls) for item in parameters)
    is_filled_in = kind == "pydantic" and parameters
    return Record(
        cls.__name__,
        kind,
        cls,
        lambda: _read_fields(cls, kind, read_hint, read_metadata),
        build=None if kind == "TypedDict" else builder(cls, kind),
        parameters=cast("tuple[Variable, ...]", variables),
        args=variables,
        objects=dict(zip(parameters, parameters)),
        rebuild=(lambda objects: pydantic_builder(cls, objects)) if is_filled_in else None,
    )


def _kind(cls: type[Any]) -> Optional[str]:
    if issubclass(cls, BaseModel):
        return "BaseModel"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    if getattr(cls, "__pydantic_root_model__", False):
        return None  # Its JSON is no object.
    if hasattr(cls, "__pydantic_fields__") or hasattr(cls, "__fields__"):
        return "pydantic"
    return "TypedDict" if hasattr(cls, "__total__") and issubclass(cls, dict) else None


def _read_fields(
    cls: type, kind: str, read_hint: ReadHint, read_metadata: ReadMetadata
) -> tuple[FieldHint, ...]:
    fields: list[FieldHint] = []
    fillings = fillings_of(cls, read_hint)
    for name, (owner, annotation) in annotations_of(cls, kind).items():
        text = annotation if isinstance(annotation, str) else str(annotation)
        if isinstance(annotation, typing.ForwardRef):
            text = annotation.__forward_arg__
        if kind == "TypedDict":
            required = _is_required_key(cls, name, text)
        elif not _is_field(cls, name, text, kind):
            continue
        else:
            required = not _has_default(cls, name, kind)
        hint = fill(read_hint(annotation, owner), fillings.get(owner, Filling()))
        info = _find_input(cls, owner, name, read_metadata(annotation, owner))
        given = None if info is None else given_by(f"{cls.__name__}.{name}", *info)
        if given is not None:
            required = given.default is MISSING
        fields.append(FieldHint(name, hint, required, _is_input(cls, name), given))
    return tuple(fields)


def _find_input(
    cls: type[Any], owner: type, name: str, metadata: tuple[Any, ...]
) -> Optional[tuple[FieldInfo, Any]]:
    """Return a field's ``Input(...)`` and the plain default beside it, if there is one."""
    inputs = vars(owner).get("__cog_inputs__", {})
    if name in inputs:
        return inputs[name], MISSING
    default = _plain_default(cls, name)
    if isinstance(default, FieldInfo):
        return default, MISSING
    info = next((item for item in metadata if isinstance(item, FieldInfo)), None)
    return None if info is None else (info, default)


def _plain_default(cls: type[Any], name: str) -> Any:
    fields: dict[str, Any] = (
        getattr(cls, "__pydantic_fields__", None) or getattr(cls, "__fields__", None) or {}
    )
    if name in fields:
        info = getattr(fields[name], "field_info", fields[name])
        return info.default if isinstance(info.default, FieldInfo) else MISSING
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if field.name == name:
            if field.default is not dataclasses.MISSING:
                return field.default
            made: Any = field.default_factory
            if made is dataclasses.MISSING:
                return MISSING
            return made() if made in PLAIN_FACTORIES else COMPUTED
    return vars(cls).get(name, MISSING)


def _is_input(cls: type[Any], name: str) -> bool:
    """A dataclass computes what is not in its ``__init__``."""
    if not dataclasses.is_dataclass(cls):
        return True
    return all(field.init for field in dataclasses.fields(cls) if field.name == name)


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
