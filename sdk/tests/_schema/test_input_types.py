from __future__ import annotations

import pytest

from cog._schema.errors import SignatureError
from cog._schema.hints import Foreign, Hint, Known, Record, Unspecified, union
from cog._schema.input_types import input_type
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

TEXT, INT, NONE = Known("str"), Known("int"), Known("None")
MESSAGE = Record("Message", "TypedDict", "key", tuple)


@pytest.mark.parametrize(
    ("hint", "type_"),
    [
        (TEXT, Scalar("str")),
        (Known("Path"), PathType()),
        (Known("File"), FileType()),
        (Known("Secret"), SecretType()),
        (Known("Any"), AnyType()),
        (Known("dict"), DictType(AnyType())),
        (Known("dict", (TEXT, INT)), DictType(Scalar("int"))),
        (MESSAGE, DictType(AnyType())),
        (Known("list"), ListType(AnyType())),
        (Known("list", (Known("Path"),)), ListType(PathType())),
        (union([TEXT, NONE]), OptionalType(Scalar("str"))),
        (union([TEXT, INT]), UnionType((Scalar("str"), Scalar("int")))),
        (union([INT, NONE, TEXT]), OptionalType(UnionType((Scalar("int"), Scalar("str"))))),
        (Unspecified(Foreign("X")), AnyType()),
        (Unspecified(Known("list", (Foreign("X"),))), ListType(AnyType())),
        (Unspecified(union([Foreign("X"), NONE])), OptionalType(AnyType())),
        (union([Unspecified(union([Foreign("X"), NONE])), NONE]), OptionalType(AnyType())),
    ],
)
def test_hint_becomes_type(hint: Hint, type_: Type) -> None:
    assert input_type("x", hint) == type_


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (Foreign("Thing"), "x: unsupported type Thing"),
        (Foreign("Thing", "cannot resolve type 'Thing'"), "x: cannot resolve type 'Thing'"),
        (NONE, "x: unsupported type None"),
        (Known("Iterator", (TEXT,)), "x: unsupported type Iterator[str]"),
        (Record("Model", "BaseModel", 1, tuple), "x: unsupported type Model"),
        (Known("list", (TEXT, TEXT)), "x: unsupported type list[str, str]"),
        (
            Known("list", (Known("list"),)),
            "x: List cannot have nested type list",
        ),
        (
            Known("list", (union([TEXT, NONE]),)),
            "x: nested generics like list[Optional[str]] are not supported",
        ),
        (
            union([TEXT, Known("list", (Known("File"),))]),
            "x: unsupported union member: list[File] is not supported in union inputs",
        ),
        (
            Known("dict", (INT, TEXT)),
            "x: the keys of a dict must be str, as in JSON: dict[int, str]",
        ),
        (Known("dict", (TEXT, Known("Path"))), "x: Path is not supported in a dict"),
    ],
)
def test_hint_is_refused(hint: Hint, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        input_type("x", hint)
    assert str(caught.value) == message
    assert bool(caught.value.advice) == (message != "x: cannot resolve type 'Thing'")


def test_error_keeps_the_place_of_the_innermost_hint() -> None:
    hint = Known("list", (Known("list", where="inner"),), where="outer")
    with pytest.raises(SignatureError) as caught:
        input_type("x", hint)
    assert caught.value.where == "inner"
