from __future__ import annotations

from typing import Any

import pytest

from cog._schema.checks import compile_checks
from cog._schema.types import InputField, Scalar

TEXT, NUMBER = Scalar("str"), Scalar("float")


@pytest.mark.parametrize(
    ("field", "good", "bad", "message"),
    [
        (InputField("x", NUMBER, ge=1), 1, 0.5, "must be >= 1, got 0.5"),
        (InputField("x", NUMBER, le=2.5), 2.5, 3, "must be <= 2.5, got 3"),
        (InputField("x", TEXT, min_length=2), "ab", "a", "must have at least 2 characters, got 1"),
        (InputField("x", TEXT, max_length=1), "a", "ab", "must have at most 1 characters, got 2"),
        (InputField("x", TEXT, regex="b+"), "abc", "ac", "must match the pattern 'b+'"),
        (InputField("x", TEXT, choices=("a", "b")), "a", "c", "must be one of: a, b"),
    ],
)
def test_constraint_lets_good_values_pass(
    field: InputField, good: Any, bad: Any, message: str
) -> None:
    (check,) = compile_checks(field)
    check(good)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        check(bad)
    assert str(caught.value) == message


def test_every_constraint_is_checked() -> None:
    field = InputField("x", TEXT, min_length=1, max_length=2, regex="a")
    assert len(compile_checks(field)) == 3
    assert compile_checks(InputField("x", TEXT)) == []
