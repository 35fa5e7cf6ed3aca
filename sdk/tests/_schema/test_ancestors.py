from __future__ import annotations

from typing import Any, Dict, Generic, List, TypedDict, TypeVar

from cog import BaseModel
from cog._schema.ancestors import annotations_of, fillings_of
from cog._schema.annotations import read_in_class
from cog._schema.hints import show

T = TypeVar("T")
K = TypeVar("K")


class Box(BaseModel, Generic[T]):
    item: T


class Pair(BaseModel, Generic[T, K]):
    left: T
    right: K


class Swapped(Pair[K, List[T]], Generic[T, K]):
    pass


class Both(Swapped[int, str]):
    more: Dict[str, int]


class Bare(Box):  # type: ignore[type-arg]
    pass


class Size(TypedDict):
    width: int


class Volume(Size):
    depth: int


def filled(cls: type) -> dict[str, list[str]]:
    """Return what stands for the parameters of each ancestor, as authors write it."""
    found = fillings_of(cls, read_in_class)
    return {
        base.__name__: [show(hint) for hint in item.hints.values()] for base, item in found.items()
    }


def owners(cls: Any, kind: str) -> dict[str, str]:
    return {name: owner.__name__ for name, (owner, _) in annotations_of(cls, kind).items()}


def test_types_reach_the_bases_of_bases() -> None:
    assert filled(Both) == {"Swapped": ["int", "str"], "Pair": ["str", "list[int]"]}


def test_parameters_of_a_generic_class_stay_open_in_its_bases() -> None:
    assert filled(Swapped) == {"Pair": ["K", "list[T]"]}


def test_base_without_types_leaves_them_missing() -> None:
    (box,) = fillings_of(Bare, read_in_class).values()
    (hint,) = box.hints.values()
    assert getattr(hint, "problem", "") == "nothing fills in the type parameter T"


def test_annotations_come_with_the_class_that_holds_them() -> None:
    assert owners(Both, "BaseModel") == {"left": "Pair", "right": "Pair", "more": "Both"}


def test_keys_of_a_typed_dict_are_those_of_its_bases_too() -> None:
    assert list(owners(Volume, "TypedDict")) == ["width", "depth"]
