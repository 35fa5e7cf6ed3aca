from typing import Any

import pytest

from cog import BaseModel, Input
from cog._schema.own_annotations import own_annotations

# Without the future import of annotations: since Python 3.14 these are computed only when somebody asks for them.


class Parent:
    a: int


class Child(Parent):
    b: str = "b"


class Silent(Parent):
    pass


class Item(BaseModel):
    name: str
    size: int = Input(default=1, ge=0)
    tags: list[str] = []  # noqa: RUF012 - what authors write


class Bigger(Item):
    more: dict[str, int] = {}  # noqa: RUF012 - what authors write


@pytest.mark.parametrize(
    ("cls", "expected"),
    [(Parent, {"a": int}), (Child, {"b": str}), (Silent, {}), (object, {}), (int, {})],
)
def test_they_are_those_of_the_class_itself(cls: type, expected: dict[str, Any]) -> None:
    assert own_annotations(cls) == expected
    assert own_annotations(cls) == expected


def test_what_is_not_defined_yet_is_no_error() -> None:
    class Node:
        following: "Later"

    assert list(own_annotations(Node)) == ["following"]


class Later:
    """Defined after what names it."""


def test_models_without_the_future_import_have_their_fields() -> None:
    one, two = Bigger("a"), Bigger("b", 2)
    one.tags.append("x")
    assert (one.size, two.size, two.tags, two.more) == (1, 2, [], {})
