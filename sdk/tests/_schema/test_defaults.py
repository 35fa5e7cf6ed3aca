from __future__ import annotations

import datetime
import enum
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from cog import BaseModel, Path, Secret
from cog._schema.defaults import json_default


class Color(str, enum.Enum):
    RED = "red"


class Plain(enum.Enum):
    ONE = 1


@dataclass
class Point:
    x: int
    where: Plain = Plain.ONE
    area: int = field(init=False, default=0)


class Model(BaseModel):
    point: Point


class Loose(BaseModel, auto_dataclass=False):
    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ((1, [2.5, None]), [1, [2.5, None]]),
        ({"a": Path("b")}, {"a": "b"}),
        (Secret("s"), "s"),
        (Color.RED, "red"),
    ],
)
def test_default_becomes_json(value: Any, json: Any) -> None:
    assert json_default(value) == json
    assert type(json_default(value)) is type(json)


@pytest.mark.parametrize("value", [object(), {1: 2}, b"x", int, {"a": object()}])
def test_default_that_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        json_default(value)


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (Plain.ONE, 1),
        (frozenset({"b", "a", 2, 1}), [1, 2, "a", "b"]),
        (Point(1), {"x": 1, "where": 1}),
        (Model(Point(2)), {"point": {"x": 2, "where": 1}}),
        (Loose(), {"x": 1}),
        (datetime.date(2024, 5, 17), "2024-05-17"),
        (datetime.datetime(2024, 5, 17, 9), "2024-05-17T09:00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_object_becomes_what_would_make_it_again(value: Any, json: Any) -> None:
    assert json_default(value) == json
