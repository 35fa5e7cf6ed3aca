from __future__ import annotations

import pytest

from cog._schema.errors import SignatureError
from cog._schema.hints import FieldHint, Foreign, Hint, Known, Record, Unspecified, union
from cog._schema.output_types import output_type
from cog._schema.types import (
    AnyType,
    DictType,
    IteratorType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    RecursiveType,
    Scalar,
    Type,
    UnionType,
)

TEXT, INT, NONE = Known("str"), Known("int"), Known("None")


def read_node_fields() -> tuple[FieldHint, ...]:
    return (
        FieldHint("name", TEXT, True),
        FieldHint("next", union([NODE, NONE]), False),
    )


NODE = Record("Node", "BaseModel", "node", read_node_fields)


@pytest.mark.parametrize(
    ("hint", "type_"),
    [
        (Known("Path"), PathType()),
        (Known("list"), ListType(AnyType())),
        (Known("list", (Known("list", (INT,)),)), ListType(ListType(Scalar("int")))),
        (Known("dict"), DictType(AnyType())),
        (Known("dict", (TEXT, Known("list", (INT,)))), DictType(ListType(Scalar("int")))),
        (union([Known("Path"), NONE]), OptionalType(PathType())),
        (union([TEXT, Known("Path")]), UnionType((Scalar("str"), PathType()))),
        (Known("Generator", (TEXT, NONE, NONE)), IteratorType(Scalar("str"))),
        (Known("Iterator", (Known("Path"),)), IteratorType(PathType())),
        (Known("AsyncIterator", (union([INT, NONE]),)), IteratorType(OptionalType(Scalar("int")))),
        (Known("ConcatenateIterator", (TEXT,)), IteratorType(Scalar("str"), concatenate=True)),
        (Known("AsyncConcatenateIterator"), IteratorType(Scalar("str"), concatenate=True)),
        (Unspecified(Known("list", (Foreign("X"),))), ListType(AnyType())),
    ],
)
def test_hint_becomes_type(hint: Hint, type_: Type) -> None:
    assert output_type(hint) == type_


def test_class_that_contains_itself_ends_in_its_name() -> None:
    assert output_type(Known("list", (NODE,))) == ListType(
        ObjectType(
            "Node",
            (
                ObjectField("name", Scalar("str")),
                ObjectField("next", OptionalType(RecursiveType("Node")), required=False),
            ),
        )
    )


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (NONE, "a model must return something: the return type None is not supported"),
        (Known("Iterator"), "iterator type must have a type argument"),
        (
            Known("AsyncConcatenateIterator", (INT,)),
            "AsyncConcatenateIterator element type must be str, got int",
        ),
        (Foreign("tuple[int, int]"), "output: unsupported type tuple[int, int]"),
        (Known("list", (TEXT, INT)), "output: unsupported type list[str, int]"),
        (
            Known("dict", (INT, TEXT)),
            "output: the keys of a dict must be str, as in JSON: dict[int, str]",
        ),
        (
            Known("list", (Known("Iterator", (TEXT,)),)),
            "output: Iterator[str] is only supported as the whole return type",
        ),
    ],
)
def test_hint_is_refused(hint: Hint, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        output_type(hint)
    assert str(caught.value) == message


def test_error_names_the_field() -> None:
    record = Record("Out", "dataclass", 1, lambda: (FieldHint("x", Foreign("T"), True),))
    with pytest.raises(SignatureError, match=r"^Out\.x: unsupported type T$"):
        output_type(record)
