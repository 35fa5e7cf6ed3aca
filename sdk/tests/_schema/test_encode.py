from __future__ import annotations

import math
import pathlib
from dataclasses import dataclass
from typing import Any

import pytest

from cog import Path, Secret
from cog._schema.encode import compile_encoder, encode_output
from cog._schema.errors import OutputError
from cog._schema.types import (
    AnyType,
    DictType,
    FileType,
    IteratorType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
)

INT, TEXT = Scalar("int"), Scalar("str")
OUTPUT = ObjectType("Output", (ObjectField("image", PathType()), ObjectField("score", INT)))


@dataclass
class Output:
    image: Any
    score: Any = 1
    more: Any = None


def encode(value: Any, type_: Type) -> tuple[Any, list[str]]:
    warnings: list[str] = []
    encoded = compile_encoder(type_, warnings.append)(value, lambda file: f"<{file}>")
    return encoded, warnings


@pytest.mark.parametrize(
    ("type_", "value", "json"),
    [
        (TEXT, "a", "a"),
        (Scalar("float"), 3, 3),
        (PathType(), "a.png", "<a.png>"),
        (PathType(), Path("a.png"), "<a.png>"),
        (PathType(), "https://x/a.png", "https://x/a.png"),
        (FileType(), pathlib.Path("a"), "<a>"),
        (SecretType(), Secret("hidden"), "**********"),
        (OptionalType(PathType()), None, None),
        (OptionalType(PathType()), "a", "<a>"),
        (ListType(PathType()), ("a", Path("b")), ["<a>", "<b>"]),
        (ListType(TEXT), (item for item in "ab"), ["a", "b"]),
        (IteratorType(PathType()), iter(["a"]), ["<a>"]),
        (DictType(PathType()), {"x": "a", 1: "b"}, {"x": "<a>", "1": "<b>"}),
        (OUTPUT, Output("a"), {"image": "<a>", "score": 1, "more": None}),
        (OUTPUT, {"image": "a", "score": 2}, {"image": "<a>", "score": 2}),
        (AnyType(), Output("a"), {"image": "a", "score": 1, "more": None}),
    ],
)
def test_declared_type_is_followed(type_: Type, value: Any, json: Any) -> None:
    assert encode(value, type_) == (json, [])


@pytest.mark.parametrize(
    ("type_", "value", "json", "warning"),
    [
        (INT, "a", "a", "annotated as int, but the model returned str"),
        (INT, True, True, "annotated as int, but the model returned bool"),
        (ListType(TEXT), "ab", "ab", "annotated as list[str], but the model returned str"),
        (DictType(AnyType()), [1], [1], "annotated as dict, but the model returned list"),
        (OUTPUT, None, None, "annotated as Output, but the model returned NoneType"),
    ],
)
def test_other_values_pass_with_a_warning(type_: Type, value: Any, json: Any, warning: str) -> None:
    assert encode(value, type_) == (json, [f"the output is {warning}"])


@pytest.mark.parametrize(
    ("type_", "value", "place"),
    [
        (Scalar("float"), math.nan, "output"),
        (ListType(AnyType()), [1, [math.nan]], "output[1][0]"),
        (DictType(ListType(Scalar("float"))), {"a": [1.0, math.inf]}, "output.a[1]"),
        (OUTPUT, Output("a", more={"x": object()}), "output.more.x"),
    ],
)
def test_value_without_json_is_refused_with_its_place(type_: Type, value: Any, place: str) -> None:
    with pytest.raises(OutputError) as caught:
        encode(value, type_)
    assert caught.value.place == place


def test_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(OutputError, match="contains itself"):
        encode_output(value, AnyType(), str)


def test_errors_about_files_reach_the_caller() -> None:
    def missing(file: Any) -> Any:
        raise FileNotFoundError(file)

    with pytest.raises(FileNotFoundError):
        encode_output(["a"], ListType(PathType()), missing)
