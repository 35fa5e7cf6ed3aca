from __future__ import annotations

from typing import Any

import pytest

from cog._schema.types import (
    COMPUTED,
    MISSING,
    AnyType,
    DictType,
    InputField,
    IteratorType,
    ListType,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
    UnionType,
    type_name,
)

INT_OR_TEXT = UnionType((Scalar("int"), Scalar("str")))


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (Scalar("int"), "int"),
        (OptionalType(ListType(PathType())), "Optional[list[Path]]"),
        (DictType(AnyType()), "dict"),
        (DictType(Scalar("float")), "dict[str, float]"),
        (INT_OR_TEXT, "Union[int, str]"),
        (IteratorType(SecretType()), "Iterator[Secret]"),
        (ObjectType("Output", ()), "Output"),
    ],
)
def test_types_are_named_as_authors_write_them(type_: Type, name: str) -> None:
    assert type_name(type_) == name


@pytest.mark.parametrize(
    ("type_", "default", "required"),
    [
        (Scalar("int"), MISSING, True),
        (Scalar("int"), 3, False),
        (Scalar("int"), COMPUTED, False),
        (OptionalType(Scalar("int")), MISSING, False),
        (OptionalType(Scalar("int")), None, False),
        (INT_OR_TEXT, MISSING, True),
        (OptionalType(INT_OR_TEXT), MISSING, True),
        (OptionalType(INT_OR_TEXT), None, False),
    ],
)
def test_input_is_required_without_default_and_null(
    type_: Type, default: Any, required: bool
) -> None:
    assert InputField("x", type_, default).required is required


def test_factories_do_not_make_fields_differ() -> None:
    one = InputField("x", Scalar("int"), COMPUTED, factory=lambda: 1)
    assert one == InputField("x", Scalar("int"), COMPUTED)


def test_markers_name_themselves() -> None:
    assert (repr(MISSING), repr(COMPUTED)) == ("MISSING", "COMPUTED")
