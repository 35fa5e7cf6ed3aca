from __future__ import annotations

import collections.abc
import datetime
import enum
import sys
import typing
import uuid
from pathlib import Path as StandardPath
from typing import Annotated, Any, Callable, Dict, List, NewType, Optional, Union

import pytest

from cog import (
    AsyncConcatenateIterator,
    BaseModel,
    ConcatenateIterator,
    File,
    Input,
    Opaque,
    Path,
    Secret,
    URLFile,
    URLPath,
)
from cog._schema.annotations import Names, read_hint, read_metadata
from cog._schema.errors import SignatureError
from cog._schema.hints import Choice, Foreign, Hint, Known, Record, Unspecified, union

TEXT, INT, NONE = Known("str"), Known("int"), Known("None")


class Point(BaseModel):
    x: int


class Plain:
    pass


class Color(str, enum.Enum):
    RED = "red"


def read(annotation: Any, **names: Any) -> Hint:
    return read_hint(annotation, Names({**globals(), **names}, {}))


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [
        (int, INT),
        (None, NONE),
        (Any, Known("Any")),
        (Path, Known("Path")),
        (URLPath, Known("Path")),
        (StandardPath, Known("Path")),
        (File, Known("File")),
        (URLFile, Known("File")),
        (Secret, Known("Secret")),
        (List, Known("list")),
        (List[int], Known("list", (INT,))),
        (list[int], Known("list", (INT,))),
        (Dict[str, Any], Known("dict", (TEXT, Known("Any")))),
        (Optional[str], union([TEXT, NONE])),
        (Union[int, str], union([INT, TEXT])),
        (typing.Iterator[str], Known("Iterator", (TEXT,))),
        (typing.AsyncIterator[str], Known("AsyncIterator", (TEXT,))),
        (ConcatenateIterator[str], Known("ConcatenateIterator", (TEXT,))),
        (AsyncConcatenateIterator, Known("AsyncConcatenateIterator")),
        (Annotated[int, "x"], INT),
        (Annotated[Plain, Opaque], Unspecified(Foreign("Plain"))),
        (Annotated[int, ["unhashable"]], INT),
        ("Optional[List[int]]", union([Known("list", (INT,)), NONE])),
        (List["int"], Known("list", (INT,))),
        (Optional["Point"], union([Record("Point", "BaseModel", Point, tuple), NONE])),
        (Plain, Foreign("Plain")),
        (typing.Tuple[int, None], Known("tuple", (INT, NONE))),
        (typing.Tuple[int, ...], Known("tuple", (INT, Known("...")))),
        (typing.Set[str], Known("set", (TEXT,))),
        (typing.AbstractSet[str], Known("set", (TEXT,))),
        (collections.abc.Sequence, Known("list")),
        (typing.Mapping[str, int], Known("dict", (TEXT, INT))),
        (typing.Generator[int, None, None], Known("Generator", (INT, NONE, NONE))),
        (datetime.datetime, Known("datetime")),
        (uuid.UUID, Known("UUID")),
        (typing.Literal["a", 1], Choice(("a", 1))),
        (typing.Literal["a", None], union([Choice(("a",)), NONE])),
        (Optional[typing.Literal["a"]], union([Choice(("a",)), NONE])),
        (typing.Literal[b"a"], Foreign("Literal[b'a']")),
        (Color, Choice(("red",), "Color")),
        (List[Color], Known("list", (Choice(("red",), "Color"),))),
        (NewType("UserId", int), INT),
        (3, Foreign("3")),
    ],
)
def test_annotation_becomes_hint(annotation: Any, hint: Hint) -> None:
    found = read(annotation)
    if isinstance(found, Foreign):
        found = Foreign(found.text)
    assert found == hint


def test_callables_are_foreign() -> None:
    assert isinstance(read(Callable[[int], str]), Foreign)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the operator is new in 3.10")
def test_operator_makes_a_union() -> None:
    assert read(eval("int | str | None")) == union([INT, TEXT, NONE])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is new in 3.12")
def test_type_statement_is_an_alias() -> None:
    names: dict[str, Any] = {}
    exec("type Names = list[str]", names)
    assert read(names["Names"]) == Known("list", (TEXT,))


def test_unknown_names_in_strings_are_errors() -> None:
    with pytest.raises(SignatureError, match="'Missing' cannot be evaluated: name 'Missing'"):
        read("Missing")


def test_metadata_is_found_in_strings_too() -> None:
    info = Input(ge=1)
    assert read_metadata(Annotated[int, info], Names({}, {})) == (info,)
    assert read_metadata("Annotated[int, info]", Names({**globals(), "info": info}, {})) == (info,)
    assert read_metadata(int, Names({}, {})) == ()


def test_names_of_a_class_are_seen_before_those_of_its_module() -> None:
    class Plain:
        Point = int
        x: int = 0

    assert Names.of_class(Plain).evaluate("Point") is int
    assert Names.of_class(Plain).evaluate("Plain") is Plain
    assert Names.of_class(Plain).evaluate("Opaque") is Opaque
