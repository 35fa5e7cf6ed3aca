from __future__ import annotations

import io
from typing import Any

import pytest

from cog import Path, Secret
from cog._schema.conversions import compile_type
from cog._schema.types import (
    AnyType,
    DictType,
    FileType,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
    UnionType,
)

BOOL, INT, FLOAT, TEXT = Scalar("bool"), Scalar("int"), Scalar("float"), Scalar("str")


@pytest.mark.parametrize(
    ("type_", "value", "result"),
    [
        (BOOL, True, True),
        (INT, 3, 3),
        (INT, 3.0, 3),
        (FLOAT, 3, 3.0),
        (TEXT, "a", "a"),
        (PathType(), "https://x/y", "https://x/y"),
        (PathType(), Path("a"), Path("a")),
        (SecretType(), "s", Secret("s")),
        (SecretType(), Secret("s"), Secret("s")),
        (AnyType(), [None, 1], [None, 1]),
        (DictType(AnyType()), {"a": 1}, {"a": 1}),
        (DictType(FLOAT), {"a": 1}, {"a": 1.0}),
        (ListType(FLOAT), [1, 2.5], [1.0, 2.5]),
        (OptionalType(INT), None, None),
        (OptionalType(INT), 1, 1),
        (UnionType((TEXT, INT)), 3, 3),
        (UnionType((TEXT, INT)), "3", "3"),
        (UnionType((FLOAT, INT)), 3, 3),
        (UnionType((TEXT, FLOAT)), 3, 3.0),
        (UnionType((INT, BOOL)), True, True),
        (UnionType((TEXT, ListType(TEXT))), ["a"], ["a"]),
        (UnionType((AnyType(), DictType(FLOAT))), {"a": 1}, {"a": 1.0}),
        (UnionType((AnyType(), TEXT)), None, None),
    ],
)
def test_value_is_converted(type_: Type, value: Any, result: Any) -> None:
    converted = compile_type(type_)(value)
    assert converted == result
    assert type(converted) is type(result)


def test_open_files_pass() -> None:
    stream = io.BytesIO()
    assert compile_type(FileType())(stream) is stream


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (BOOL, 1, "expected boolean, got integer"),
        (INT, True, "expected integer, got boolean"),
        (INT, 3.5, "expected integer, got number"),
        (INT, "3", "expected integer, got string"),
        (FLOAT, False, "expected number, got boolean"),
        (FLOAT, 10**400, "the number is too large"),
        (TEXT, None, "expected string, got null"),
        (PathType(), 3, "expected a file's URL, got integer"),
        (SecretType(), {"a": "hidden"}, "expected string, got object"),
        (DictType(AnyType()), [], "expected object, got array"),
        (DictType(INT), {"a": 1, "b": "c"}, "b: expected integer, got string"),
        (ListType(INT), "abc", "expected array, got string"),
        (ListType(INT), [1, None], "item 1: expected integer, got null"),
        (UnionType((INT, TEXT)), 1.5, "expected one of int, str, got number"),
    ],
)
def test_value_that_does_not_fit_is_refused(type_: Type, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        compile_type(type_)(value)
    assert str(caught.value) == message
