"""Live classes as inputs: what the author's method gets for the JSON of a client."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from dataclasses import dataclass
from typing import (
    Any,
    Dict,
    FrozenSet,
    List,
    Literal,
    NewType,
    Optional,
    Set,
    Tuple,
    TypedDict,
    Union,
)

import pytest

from cog import BaseModel, Input, Secret
from cog._schema.coerce import coerce_inputs
from cog._schema.errors import InputError
from cog._schema.kinds import is_series, kind_of
from cog._schema.signature import read_signature


class Color(str, enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 10


@dataclass
class Point:
    x: float
    y: float = 0.5


@dataclass
class Circle:
    kind: Literal["circle"]
    center: Point
    color: Color = Color.RED


@dataclass
class Square:
    kind: Literal["square"]
    side: float


@dataclass
class Wide:
    a: int
    b: Optional[int] = None
    c: Optional[int] = None


@dataclass
class Narrow:
    a: int


@dataclass
class Node:
    name: str
    children: "List[Node]" = dataclasses.field(default_factory=list["Node"])  # noqa: UP037


@dataclass
class Positive:
    value: int

    def __post_init__(self) -> None:
        if self.value <= 0:
            raise ValueError("value must be positive")


class Settings(BaseModel):
    point: Point
    token: Optional[Secret] = None


class Message(TypedDict):
    role: str
    at: datetime.date


UserId = NewType("UserId", int)


def coerce(annotation: Any, value: Any, default: Any = dataclasses.MISSING) -> Any:
    def run(x: Any) -> str:
        return ""

    run.__annotations__["x"] = annotation
    if default is not dataclasses.MISSING:
        run.__defaults__ = (default,)
    values = {} if value is dataclasses.MISSING else {"x": value}
    return coerce_inputs(read_signature(run), values)["x"]


def same(found: Any, expected: Any) -> bool:
    """Equal, and of the same class, the items too."""
    if is_series(expected):
        return type(found) is kind_of(expected) and all(map(same, found, expected))
    return bool(found == expected) and type(found) is kind_of(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Color, "green", Color.GREEN),
        (Level, 10, Level.HIGH),
        (Optional[Color], None, None),
        (List[Color], ["red"], [Color.RED]),
        (Literal["a", 1], 1, 1),
        (Literal[Color.RED, "x"], "red", Color.RED),
        (Tuple[int, Color], [1, "red"], (1, Color.RED)),
        (Tuple[float, ...], [1, 2.5], (1.0, 2.5)),
        (List[Tuple[int, int]], [[1, 2]], [(1, 2)]),
        (Set[int], [1, 2, 1], {1, 2}),
        (FrozenSet[Color], ["red"], frozenset({Color.RED})),
        (List[List[float]], [[1], []], [[1.0], []]),
        (List[Optional[int]], [1, None], [1, None]),
        (Dict[str, List[Point]], {"a": [{"x": 1}]}, {"a": [Point(1.0)]}),
        (Point, {"x": 1}, Point(1.0)),
        (Point, {"x": 1, "unknown": 2}, Point(1.0)),
        (
            Circle,
            {"kind": "circle", "center": {"x": 1}, "color": "green"},
            Circle("circle", Point(1.0), Color.GREEN),
        ),
        (Settings, {"point": {"x": 2}, "token": "s"}, Settings(Point(2.0), Secret("s"))),
        (
            Node,
            {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]},
            Node("a", [Node("b", [Node("c")])]),
        ),
        (
            Message,
            {"role": "user", "at": "2024-05-17", "more": 1},
            {"role": "user", "at": datetime.date(2024, 5, 17), "more": 1},
        ),
        (UserId, 3, 3),
    ],
)
def test_value_becomes_what_the_annotation_says(annotation: Any, value: Any, expected: Any) -> None:
    assert same(coerce(annotation, value), expected)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Union[int, str], "1", "1"),
        (Union[int, str], 1, 1),
        (Union[float, int], 1, 1),
        (Union[float, int], 1.5, 1.5),
        (Union[str, bool], True, True),
        (Union[str, float], 1, 1.0),
        (Union[str, Color], "red", Color.RED),
        (Union[str, Color], "blue", "blue"),
        (Union[int, Literal["auto"]], "auto", "auto"),
        (Union[str, datetime.date], "2024-05-17", datetime.date(2024, 5, 17)),
        (Union[str, datetime.date], "soon", "soon"),
        (Union[str, Point], {"x": 1}, Point(1.0)),
        (Union[Square, Circle], {"kind": "circle", "center": {"x": 1}}, Circle("circle", Point(1))),
        (Union[Narrow, Wide], {"a": 1, "b": 2}, Wide(1, 2)),
        (Union[Narrow, Wide], {"a": 1}, Narrow(1)),
        (Union[Dict[str, int], Point], {"x": 1}, Point(1.0)),
        (Union[Dict[str, int], Point], {"z": 1}, {"z": 1}),
        (Union[Point, List[Point]], [{"x": 1}], [Point(1.0)]),
        (Union[List[int], Tuple[int, int]], [1, 2], (1, 2)),
        (Union[List[int], Tuple[int, int]], [1, 2, 3], [1, 2, 3]),
    ],
)
def test_the_most_specific_member_of_a_union_wins(
    annotation: Any, value: Any, expected: Any
) -> None:
    assert same(coerce(annotation, value), expected)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Color, "blue", "must be one of: red, green"),
        (Level, True, "must be one of: 1, 10"),
        (Tuple[int, str], [1], "must have 2 items, got 1"),
        (Tuple[int, str], [1, 2], "item 1: expected string, got integer"),
        (List[List[int]], [[1], ["a"]], "item 1: item 0: expected integer, got string"),
        (Point, {"y": 1}, "x: Field required"),
        (Point, [1], "expected object, got array"),
        (Settings, {"point": {"x": "far"}}, "point: x: expected number, got string"),
        (Positive, {"value": -1}, "value must be positive"),
        (Node, {"name": "a", "children": [{"x": 1}]}, "children: item 0: name: Field required"),
        (Message, {"role": "user"}, "at: Field required"),
        (Union[int, Point], "a", "expected one of int, Point, got string"),
    ],
)
def test_value_that_does_not_fit_is_refused_with_its_place(
    annotation: Any, value: Any, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        coerce(annotation, value)
    assert caught.value.problems == [("x", message)]


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Color, Color.GREEN),
        (Point, Point(3.0, 4.0)),
        (List[Point], Input(default=[Point(1.0)])),
        (Set[int], frozenset({1, 2})),
        (Tuple[int, ...], (1, 2)),
    ],
)
def test_default_is_what_the_author_wrote(annotation: Any, default: Any) -> None:
    expected = getattr(default, "default", default)
    assert coerce(annotation, dataclasses.MISSING, default) == expected


def test_default_object_is_new_for_each_prediction() -> None:
    def run(point: Point = Point(1.0)) -> str:  # noqa: B008
        return ""

    signature = read_signature(run)
    first, second = (coerce_inputs(signature, {})["point"] for _ in "ab")
    assert first == second == Point(1.0)
    assert first is not second
