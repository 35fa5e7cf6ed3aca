from __future__ import annotations

from typing import Any

import pytest

from cog._schema.errors import SignatureError
from cog._schema.given import Given
from cog._schema.hints import Known, union
from cog._schema.parameters import input_field
from cog._schema.types import MISSING, AnyType, OptionalType, Scalar, SecretType

TEXT, INT, FLOAT, NONE = Known("str"), Known("int"), Known("float"), Known("None")


def refuse(hint: Any, given: Given) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        input_field("x", hint, given)
    return caught.value


def test_default_of_none_is_none_at_all_for_what_is_not_optional() -> None:
    assert input_field("x", TEXT, Given(None)).default is MISSING
    assert input_field("x", union([TEXT, NONE]), Given(None)).default is None


def test_default_of_none_makes_a_secret_optional() -> None:
    field = input_field("x", Known("Secret"), Given(None))
    assert (field.type, field.default) == (OptionalType(SecretType()), None)


def test_default_of_none_is_one_for_what_may_be_anything() -> None:
    field = input_field("x", Known("Any"), Given(None))
    assert (field.type, field.default) == (OptionalType(AnyType()), None)
    assert not field.required


def test_integer_default_of_a_float_fits() -> None:
    field = input_field("x", FLOAT, Given(1, ge=0, le=2))
    assert (field.type, field.default) == (Scalar("float"), 1)


def test_single_choice_is_enough() -> None:
    assert input_field("x", TEXT, Given("a", choices=("a",))).choices == ("a",)


def test_choices_of_floats_may_be_integers() -> None:
    assert input_field("x", FLOAT, Given(choices=(1, 2.5))).choices == (1, 2.5)


def test_constraints_of_a_list_are_about_its_items() -> None:
    field = input_field("x", Known("list", (INT,)), Given([1, 2], ge=1, le=2))
    assert field.default == [1, 2]
    error = refuse(Known("list", (INT,)), Given([1, 3], ge=1, le=2))
    assert str(error) == "invalid default for x: list[int]: must be at maximum 2"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Given(ge=True), "x: ge must be a number, not True"),
        (Given(min_length=1.5), "x: min_length must be an integer, not 1.5"),  # type: ignore[arg-type]
        (Given(description=3), "x: description must be a string, not 3"),  # type: ignore[arg-type]
        (Given(deprecated="no"), "x: deprecated must be True or False, not 'no'"),  # type: ignore[arg-type]
        (Given(choices=(1, True)), "x: not all choices have the same type as input"),
        (Given(True), "invalid default for x: int: expected integer, got boolean"),
        (Given(2.5), "invalid default for x: int: expected integer, got number"),
        (Given([1]), "invalid default for x: int: expected integer, got array"),
    ],
)
def test_wrong_values_are_refused(given: Given, message: str) -> None:
    assert str(refuse(INT, given)) == message


def test_error_points_at_the_argument() -> None:
    error = refuse(INT, Given(0, ge=1, places={"default": "here", "ge": "there"}))
    assert error.where == "here"
    error = refuse(TEXT, Given(ge=1, places={"ge": "there"}))
    assert error.where == "there"
