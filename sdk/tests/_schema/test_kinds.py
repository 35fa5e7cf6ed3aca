from __future__ import annotations

from typing import Any

import pytest

from cog._schema.kinds import is_dict, is_finite, is_list, is_series, kind_of


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ([], (True, True, False)),
        ((), (False, True, False)),
        ({}, (False, False, True)),
        ("ab", (False, False, False)),
    ],
)
def test_containers_are_told_apart(value: Any, answers: tuple[bool, bool, bool]) -> None:
    assert (is_list(value), is_series(value), is_dict(value)) == answers


def test_kind_is_the_class() -> None:
    assert kind_of(3) is int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, True),
        ("inf", True),
        (None, True),
        ([1, {"a": (2.0,)}], True),
        (float("inf"), False),
        ([1, {"a": (float("nan"),)}], False),
    ],
)
def test_numbers_that_json_has_no_word_for_are_found(value: Any, expected: bool) -> None:
    assert is_finite(value) is expected
