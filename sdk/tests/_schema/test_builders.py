from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import pytest

from cog import BaseModel
from cog._schema.builders import builder


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2
    area: int = dataclasses.field(init=False, default=0)


class Loose(BaseModel, auto_dataclass=False):
    x: int

    def __init__(self, x: int) -> None:
        self.x = x


class Alias:
    def __init__(self, alias: Any) -> None:
        self.alias = alias


class Recorder:
    """What is used of a pydantic model, as its second version has it."""

    __pydantic_fields__: ClassVar[dict[str, Any]] = {
        "camel": Alias("camelCase"),
        "plain": Alias(None),
    }

    def __init__(self, **values: Any) -> None:
        self.values = values


def test_dataclass_gets_the_fields_that_it_takes() -> None:
    build = builder(Point, "dataclass")
    assert build({"x": 1}) == Point(1)
    assert build({"x": 1, "area": 9, "unknown": 0}) == Point(1)


def test_model_with_its_own_init_gets_its_fields() -> None:
    built: Any = builder(Loose, "BaseModel")({"x": 3, "y": 4})
    assert built.x == 3


def test_pydantic_gets_aliases_and_judges_unknown_fields_itself() -> None:
    built: Any = builder(Recorder, "pydantic")({"camel": 1, "plain": 2, "unknown": 3})
    assert built.values == {"camelCase": 1, "plain": 2, "unknown": 3}


def test_what_is_missing_is_the_class_s_own_error() -> None:
    with pytest.raises(TypeError, match="missing"):
        builder(Point, "dataclass")({})
