from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Dict, List, Optional, TypedDict

import pytest

from cog import BaseModel, Path
from cog._schema.annotations import Names, read_hint
from cog._schema.hints import FieldHint, Known, union
from cog._schema.records import record

TEXT, INT, NONE = Known("str"), Known("int"), Known("None")


class Base(BaseModel):
    name: str
    size: int = 1


class Output(Base):
    KIND: ClassVar[str] = "k"
    size: Any = "x"
    path: Optional[Path] = None
    made: List[str] = dataclasses.field(default_factory=list[str])


class Loose(BaseModel, auto_dataclass=False):
    a: int
    b: str = "x"


@dataclasses.dataclass
class Point:
    x: int
    extra: dataclasses.InitVar[int] = 0


class NotDecorated(Point):
    y: int = 0


class Total(TypedDict):
    a: int


class Partial(Total, total=False):
    b: Dict[str, int]


def fields(cls: type[Any]) -> tuple[FieldHint, ...]:
    found = record(cls, lambda annotation, owner: read_hint(annotation, Names.of_class(owner)))
    assert found is not None
    assert (found.name, found.key) == (cls.__name__, cls)
    return found.read_fields()


def test_base_model_has_inherited_fields_first() -> None:
    assert fields(Output) == (
        FieldHint("name", TEXT, True),
        FieldHint("size", Known("Any"), False),
        FieldHint("path", union([Known("Path"), NONE]), False),
        FieldHint("made", Known("list", (TEXT,)), False),
    )


def test_base_model_that_is_no_dataclass_has_its_annotations() -> None:
    assert fields(Loose) == (FieldHint("a", INT, True), FieldHint("b", TEXT, False))


def test_dataclass_has_what_its_decorator_saw() -> None:
    assert fields(Point) == fields(NotDecorated) == (FieldHint("x", INT, True),)


def test_typed_dict_knows_which_keys_may_be_missing() -> None:
    assert fields(Partial) == (
        FieldHint("a", INT, True),
        FieldHint("b", Known("dict", (TEXT, INT)), False),
    )


@pytest.mark.parametrize("cls", [int, dict, object, Exception])
def test_other_classes_are_no_records(cls: type[Any]) -> None:
    assert record(cls, lambda annotation, owner: TEXT) is None


def test_pydantic_fields_are_found() -> None:
    pydantic: Any = pytest.importorskip("pydantic", reason="needs pydantic")
    made = pydantic.create_model("Made", a=(int, ...), b=(str, "x"), c=(List[str], None))
    required = {field.name: field.required for field in fields(made)}
    assert required == {"a": True, "b": False, "c": False}
