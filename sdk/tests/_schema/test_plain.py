from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import io
import math
import pathlib
import types
import uuid
from typing import Any

import pytest

from cog import BaseModel, Path, Secret
from cog._schema.plain import Unfit, encode_any, encode_key, fields_of, is_array, is_url


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 2


class Text(str):
    __slots__ = ()


class Number(float):
    """As numpy's float64."""


class Array:
    """As numpy's arrays and scalars, and tensors."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def tolist(self) -> Any:
        return self._content


class NewModel:
    """As pydantic 2."""

    def model_dump(self) -> dict[str, Any]:
        return {"a": Color.RED}


class OldModel:
    """As pydantic 1."""

    __fields__ = ("a",)

    def dict(self) -> dict[str, Any]:
        return {"a": 1}


class Output(BaseModel):
    text: str
    secret: Secret


class Loose(BaseModel, auto_dataclass=False):
    def __init__(self) -> None:
        self.x = 1


@dataclasses.dataclass
class Node:
    name: str
    children: list[Any] = dataclasses.field(default_factory=list[Any])


def encode(value: Any) -> Any:
    return encode_any(value, lambda file: ("file", file))


def refuse(value: Any) -> str:
    with pytest.raises(Unfit) as caught:
        encode(value)
    return f"{caught.value.place('output')}: {caught.value.reason}"


VALUES: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (3, 3),
    (2.5, 2.5),
    ("a", "a"),
    ((1, [2, (3,)]), [1, [2, [3]]]),
    ({1}, [1]),
    (frozenset("a"), ["a"]),
    (range(2), [0, 1]),
    ((item for item in "ab"), ["a", "b"]),
    (collections.deque([1]), [1]),
    ({"a": 1}.values(), [1]),
    ({"a": 1}.keys(), ["a"]),
    ({Color.RED: 1, 2: 3, True: 4, 1.5: 5}, {"red": 1, "2": 3, "true": 4, "1.5": 5}),
    (types.MappingProxyType({"a": (1,)}), {"a": [1]}),
    (Color.RED, "red"),
    (Level.HIGH, 2),
    (Text("a"), "a"),
    (Number(1.5), 1.5),
    (datetime.datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"),
    (datetime.date(2024, 1, 2), "2024-01-02"),
    (datetime.time(1, 2), "01:02:00"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Secret("hidden"), "**********"),
    (Array([1, 2.5]), [1, 2.5]),
    (Array(3), 3),
    (NewModel(), {"a": "red"}),
    (OldModel(), {"a": 1}),
    (Output("a", Secret("hidden")), {"text": "a", "secret": "**********"}),
    (Loose(), {"x": 1}),
    (
        Node("a", [Node("b")]),
        {"name": "a", "children": [{"name": "b", "children": []}]},
    ),
]


@pytest.mark.parametrize(("value", "json"), VALUES)
def test_value_becomes_json(value: Any, json: Any) -> None:
    encoded = encode(value)
    assert encoded == json
    assert type(encoded) is type(json)


@pytest.mark.parametrize("file", [Path("a"), pathlib.Path("b"), io.BytesIO(b"c")])
def test_files_are_handed_over(file: Any) -> None:
    assert encode({"x": [file]}) == {"x": [("file", file)]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "output: nan cannot be written as JSON; return None, or a string"),
        (
            {"items": [1, -math.inf]},
            "output.items[1]: -inf cannot be written as JSON; return None, or a string",
        ),
        (Array([math.inf]), "output[0]: inf cannot be written as JSON; return None, or a string"),
        (Number("nan"), "output: nan cannot be written as JSON; return None, or a string"),
        (
            b"x",
            "output: a value of type bytes cannot be written as JSON; write it to a file and return its Path",
        ),
        (
            Node("a", [object()]),
            "output.children[0]: a value of type object cannot be written as JSON",
        ),
        ([{(1,): 2}], "output[0]: a key of type tuple cannot be written as JSON"),
        (3j, "output: a value of type complex cannot be written as JSON"),
        (Node, "output: a value of type type cannot be written as JSON"),
    ],
)
def test_value_without_json_is_refused_with_its_place(value: Any, message: str) -> None:
    assert refuse(value) == message


def test_fields_are_not_converted() -> None:
    node = Node("a", [Node("b")])
    assert fields_of(node) == {"name": "a", "children": node.children}
    assert fields_of(3) is None


def test_dataclass_may_lack_a_field() -> None:
    node = Node("a")
    del node.children
    assert fields_of(node) == {"name": "a"}


def test_keys_are_strings() -> None:
    assert [encode_key(key) for key in ("a", 1, False, Color.RED)] == ["a", "1", "false", "red"]


def test_urls_and_arrays_are_recognised() -> None:
    assert [is_url(text) for text in ("https://x", "DATA:,a", "http.txt")] == [True, True, False]
    values: list[Any] = [[], (), iter("a"), "ab", {}]
    assert [is_array(value) for value in values] == [True, True, True, False, False]
