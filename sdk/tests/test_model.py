"""``BaseModel``: subclasses become dataclasses."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, Generic, Optional, TypeVar

import pytest

from cog import BaseModel


def make(*bases: type, **keywords: Any) -> type:
    """Make a class with the field ``x``, as a class statement does."""

    def body(namespace: dict[str, Any]) -> None:
        namespace["__annotations__"] = {"x": int}

    import types

    return types.new_class("Made", bases, keywords, body)


def test_a_subclass_is_a_dataclass() -> None:
    class Output(BaseModel):
        text: str
        score: float = 0.5
        tags: list[str] = dataclasses.field(default_factory=list[str])

    output = Output(text="x")
    assert dataclasses.asdict(output) == {"text": "x", "score": 0.5, "tags": []}
    assert output == Output("x")
    assert repr(output).endswith("Output(text='x', score=0.5, tags=[])")


def test_fields_are_inherited() -> None:
    class Base(BaseModel):
        a: int

    class Derived(Base):
        b: Optional[int] = None

    assert dataclasses.asdict(Derived(a=1)) == {"a": 1, "b": None}
    assert [field.name for field in dataclasses.fields(Base)] == ["a"]


def test_options_are_passed_to_dataclass() -> None:
    class Frozen(BaseModel, frozen=True, order=True):
        x: int

    first: Any = Frozen(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.x = 2
    assert first < Frozen(2)


def test_a_list_as_a_default_is_copied_for_each_object() -> None:
    class Tagged(BaseModel):
        tags: list[str] = []  # noqa: RUF012 - what this is about
        scores: dict[str, list[float]] = {"a": [1.0]}  # noqa: RUF012

    first, second = Tagged(), Tagged()
    first.tags.append("x")
    first.scores["a"].append(2.0)
    assert (second.tags, second.scores) == ([], {"a": [1.0]})
    assert Tagged(tags=["y"]).tags == ["y"]


def test_a_class_may_bring_its_own_constructor() -> None:
    class Written(BaseModel):
        x: int

        def __init__(self) -> None:
            self.x = 7

    class WithoutInit(BaseModel, init=False):
        x: int = 3

    assert Written().x == 7
    assert WithoutInit().x == 3
    with pytest.raises(TypeError):
        make(BaseModel, init=False)(x=1)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        make(BaseModel, no_such_option=True)


def test_slots_are_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        make(BaseModel, slots=True)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="dataclasses know kw_only from 3.10 on")
def test_keyword_only_fields_are_possible() -> None:
    model = make(BaseModel, kw_only=True)
    assert model(x=1) == model(x=1)
    with pytest.raises(TypeError):
        model(1)


def test_without_auto_dataclass_a_class_stays_as_it_is() -> None:
    plain = make(BaseModel, auto_dataclass=False)
    assert not dataclasses.is_dataclass(plain)


def test_once_off_it_stays_off() -> None:
    plain = make(BaseModel, auto_dataclass=False)
    assert not dataclasses.is_dataclass(make(plain))
    assert not dataclasses.is_dataclass(make(plain, auto_dataclass=True))
    assert dataclasses.is_dataclass(make(BaseModel))


def test_it_cannot_be_turned_off_below_a_dataclass() -> None:
    with pytest.raises(ValueError, match="auto_dataclass=False"):
        make(make(BaseModel), auto_dataclass=False)


def test_the_first_base_must_be_a_model() -> None:
    with pytest.raises(TypeError, match="first base must be a BaseModel"):
        make(type("Mixin", (), {}), BaseModel)
    assert dataclasses.is_dataclass(make(BaseModel, type("Mixin", (), {})))


def test_generic_may_stand_before_or_behind_the_model() -> None:
    item = TypeVar("item")

    class Before(Generic[item], BaseModel):
        x: item

    class Behind(BaseModel, Generic[item]):
        x: item

    assert (Before[int](1).x, Behind[int](2).x) == (1, 2)
    assert dataclasses.is_dataclass(Before)


def test_another_dataclass_cannot_be_mixed_in() -> None:
    other = dataclasses.make_dataclass("Other", ["y"])
    with pytest.raises(TypeError, match="dataclass Other"):
        make(BaseModel, other)


def test_two_models_can_be_mixed() -> None:
    class A(BaseModel):
        a: int = 1

    class B(BaseModel):
        b: int = 2

    class Both(A, B):
        pass

    assert dataclasses.asdict(Both()) == {"b": 2, "a": 1}
