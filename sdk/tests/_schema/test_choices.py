from __future__ import annotations

import enum

from cog._schema.choices import enum_choice, enumeration, literal
from cog._schema.hints import Choice, Foreign, Known, union


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
    TOP = 2


class Pair(enum.Enum):
    A = (1, 2)


class Empty(enum.Enum):
    pass


def test_enum_keeps_values_and_members() -> None:
    found = enumeration(Level)
    assert found == Choice((1, 2), "Level")
    assert isinstance(found, Choice)
    assert found.objects == (Level.LOW, Level.HIGH)
    assert type(found.values[0]) is int


def test_enum_of_which_only_values_are_known_is_equal() -> None:
    assert enum_choice("Level", [1, 2]) == enumeration(Level)


def test_literal_with_none_is_optional() -> None:
    assert literal(["a", None], "Literal['a', None]") == union([Choice(("a",)), Known("None")])


def test_literal_of_members_gives_the_members() -> None:
    found = literal([Level.LOW, "x"], "Literal[Level.LOW, 'x']")
    assert isinstance(found, Choice)
    assert (found.values, found.objects) == ((1, "x"), (Level.LOW, "x"))


def test_values_that_are_no_json_scalars_are_refused_with_the_reason() -> None:
    found = enumeration(Pair)
    assert isinstance(found, Foreign)
    assert found.problem == "Pair: (1, 2) is not a string, a number or a boolean"
    empty = enumeration(Empty)
    assert isinstance(empty, Foreign)
    assert empty.problem == "Empty has no members"
