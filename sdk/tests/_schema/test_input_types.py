from __future__ import annotations

import pytest

from cog._schema.errors import SignatureError
from cog._schema.hints import Choice, Foreign, Hint, Known, Record, Unspecified, union
from cog._schema.input_types import input_type
from cog._schema.types import (
    AnyType,
    ChoiceType,
    DictType,
    FileType,
    ListType,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    TextType,
    TupleType,
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
        (Known("dict", (TEXT, Known("Path"))), DictType(PathType())),
        (MESSAGE, ObjectType("Message", ())),
        (Known("list"), ListType(AnyType())),
        (Known("list", (Known("Path"),)), ListType(PathType())),
        (Known("list", (Known("list", (INT,)),)), ListType(ListType(Scalar("int")))),
        (Known("list", (union([TEXT, NONE]),)), ListType(OptionalType(Scalar("str")))),
        (Known("tuple", (TEXT, INT)), TupleType((Scalar("str"), Scalar("int")))),
        (Known("tuple", (TEXT, Known("..."))), ListType(Scalar("str"), "tuple")),
        (Known("tuple"), ListType(AnyType(), "tuple")),
        (Known("set", (TEXT,)), ListType(Scalar("str"), "set")),
        (Known("frozenset", (Choice((1, 2)),)), ListType(ChoiceType((1, 2)), "frozenset")),
        (Known("datetime"), TextType("datetime")),
        (Choice(("a",), "Color"), ChoiceType(("a",), "Color")),
        (union([MESSAGE, TEXT]), UnionType((ObjectType("Message", ()), Scalar("str")))),
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
        (Known("set"), "x: set does not say what its items are"),
        (Known("set", (Known("dict"),)), "x: the items of a set must be hashable: set[dict]"),
        (
            Known(
                "...",
            ),
            "x: unsupported type ...",
        ),
        (Known("list", (TEXT, TEXT)), "x: unsupported type list[str, str]"),
        (
            union([TEXT, Known("list", (Known("File"),))]),
            "x: unsupported union member: list[File] is not supported in union inputs",
        ),
        (
            Known("dict", (INT, TEXT)),
            "x: the keys of a dict must be str, as in JSON: dict[int, str]",
        ),
    ],
)
def test_hint_is_refused(hint: Hint, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        input_type("x", hint)
    assert str(caught.value) == message
    assert bool(caught.value.advice) == (message != "x: cannot resolve type 'Thing'")


def test_error_keeps_the_place_of_the_innermost_hint() -> None:
    hint = Known("list", (Known("set", where="inner"),), where="outer")
    with pytest.raises(SignatureError) as caught:
        input_type("x", hint)
    assert caught.value.where == "inner"
