from __future__ import annotations

from typing import Any

import pytest

from cog._schema.generics import MAX_PARTS, Filling, close, close_bare, fill, variables_in
from cog._schema.hints import Foreign, Hint, Known, Record, Unspecified, Variable, show, union

INT, STR, NONE = Known("int"), Known("str"), Known("None")
T, U = Variable("T", 1), Variable("U", 2)
D = Variable("D", 3, default=lambda: Known("list", (T,)))
SEVERAL = Variable("Ts", 4, is_several=True)
BOX = Record("Box", "BaseModel", "box", tuple, parameters=(T,), args=(T,))


def listed(hint: Hint) -> Known:
    return Known("list", (hint,))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (T, INT),
        (U, U),
        (STR, STR),
        (listed(listed(T)), listed(listed(INT))),
        (union([T, INT, NONE]), union([INT, NONE])),
        (Unspecified(T), Unspecified(INT)),
        (Known("dict", (STR, T)), Known("dict", (STR, INT))),
    ],
)
def test_filling_puts_a_type_where_the_variable_was(template: Hint, expected: Hint) -> None:
    assert fill(template, Filling({T.key: INT})) == expected


def test_filled_class_has_its_types_and_shows_them() -> None:
    box = close(BOX, "Box", (T,), (INT,))
    assert isinstance(box, Record)
    assert box.args == (INT,)
    assert show(listed(box)) == "list[Box[int]]"


def test_two_fillings_of_a_class_are_two_types_and_equal_ones_are_one() -> None:
    boxes = [close(BOX, "Box", (T,), (hint,)) for hint in (INT, STR, INT)]
    assert union(boxes) == union(boxes[:2])


def test_class_inside_of_a_generic_one_is_filled_through_it() -> None:
    inner = close(BOX, "Box", (T,), (listed(U),))
    assert show(fill(inner, Filling({U.key: STR}))) == "Box[list[str]]"


def test_bare_class_says_what_is_missing_where_it_is_used() -> None:
    box = close_bare(BOX)
    assert isinstance(box, Record)
    assert isinstance(box.args[0], Foreign)
    assert box.args[0].problem == "nothing fills in the type parameter T"
    # The parameter of another class of the same name does not get in.
    assert fill(box, Filling({T.key: INT})) == box


def test_default_may_be_made_of_the_parameters_before_it() -> None:
    assert close(D, "Pair", (T, D), (INT,)) == listed(INT)
    assert close(D, "Pair", (T, D), (INT, STR)) == STR


@pytest.mark.parametrize(
    ("parameters", "arguments", "problem"),
    [
        ((T,), (INT, STR), "X[int, str] does not fit the type parameters of X: T"),
        ((T, U), (INT,), "X[int] does not fit the type parameters of X: T, U"),
        ((), (INT,), "X[int] does not fit the type parameters of X: none"),
    ],
)
def test_wrong_number_of_types_is_refused(
    parameters: tuple[Variable, ...], arguments: tuple[Hint, ...], problem: str
) -> None:
    found = close(T, "X", parameters, arguments)
    assert isinstance(found, Foreign)
    assert found.problem == problem


def test_parameters_that_stand_for_several_types_are_refused() -> None:
    found = close(STR, "X", (SEVERAL,), (INT,))
    assert isinstance(found, Foreign)
    assert "several types" in found.problem


def test_type_that_grows_too_large_is_refused_in_bounded_time() -> None:
    hint: Any = INT
    for _ in range(40):
        hint = fill(Known("tuple", (T, T)), Filling({T.key: hint}))
        if isinstance(hint, Foreign):
            break
    assert isinstance(hint, Foreign)
    assert str(MAX_PARTS) in hint.problem


def test_open_variables_are_found_in_the_order_in_which_they_appear() -> None:
    assert variables_in(Known("dict", (U, union([T, listed(U), NONE])))) == (U, T)
    assert variables_in(close(BOX, "Box", (T,), (INT,))) == ()
