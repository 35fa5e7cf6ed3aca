"""Make instances of the author's classes of the values of their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Callable

from cog._schema.live_generics import parameters_of
from cog._schema.own_annotations import own_annotations

Build = Callable[[dict[str, Any]], Any]


def builder(cls: Any, kind: str) -> Build:
    """Return what makes an instance of a class of the ``kind`` of a ``Record``.

    It gets the values by the names of the fields; what the class does not know is left out, but
    for pydantic's models, which have rules of their own for that.
    """
    if kind == "pydantic":
        return lambda values: _build_pydantic(cls, values)
    names = _parameters(cls)

    def build(values: dict[str, Any]) -> Any:
        return cls(**{name: value for name, value in values.items() if name in names})

    return build


def pydantic_builder(generic: Any, objects: Mapping[Any, Any]) -> Build:
    """Return what makes instances of ``generic[int]``, which pydantic has a class of its own for."""
    made: list[Any] = []

    def build(values: dict[str, Any]) -> Any:
        if not made:
            given = tuple(objects.get(item, item) for item in parameters_of(generic))
            made.append(generic[given])
        return _build_pydantic(made[0], values)

    return build


def _parameters(cls: Any) -> frozenset[str]:
    if dataclasses.is_dataclass(cls):
        return frozenset(field.name for field in dataclasses.fields(cls) if field.init)
    # A BaseModel that is no dataclass has an ``__init__`` of its own.
    names: set[str] = set()
    for owner in cls.__mro__:
        names.update(own_annotations(owner))
    return frozenset(names)


def _build_pydantic(cls: Any, values: dict[str, Any]) -> Any:
    fields = getattr(cls, "__pydantic_fields__", None) or cls.__fields__
    by_alias = {_alias(fields.get(name), name): value for name, value in values.items()}
    return cls(**by_alias)


def _alias(field: Any, name: str) -> str:
    for attribute in ("validation_alias", "alias"):
        alias = getattr(field, attribute, None)
        if isinstance(alias, str):
            return alias
    return name
