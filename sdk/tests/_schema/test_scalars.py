from __future__ import annotations

import datetime
import enum
import re
import uuid
from typing import Any

import pytest

from cog._schema.scalars import SCALARS, choice_of, json_name, text_of


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        (
            "datetime",
            "2024-05-17T09:30:00Z",
            datetime.datetime(2024, 5, 17, 9, 30, tzinfo=datetime.timezone.utc),
        ),
        ("datetime", "2024-05-17T09:30:00", datetime.datetime(2024, 5, 17, 9, 30)),
        ("date", "2024-05-17", datetime.date(2024, 5, 17)),
        ("time", "09:30:00", datetime.time(9, 30)),
        ("UUID", str(uuid.UUID(int=7)), uuid.UUID(int=7)),
    ],
)
def test_text_becomes_what_it_says(name: str, value: str, result: Any) -> None:
    assert text_of(name)(value) == result


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("date", "tomorrow", "must be a date, such as 2024-05-17"),
        ("datetime", "", "must be a date and time, such as 2024-05-17T09:30:00+00:00"),
        ("UUID", "x", "must be a UUID, such as 6f2b1d0a-3c1e-4b6a-9a77-0d5e0e3c9f11"),
        ("date", 3, "expected string, got integer"),
    ],
)
def test_other_text_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        text_of(name)(value)


def test_choice_is_the_object_that_stands_for_the_value() -> None:
    assert choice_of(("red",), (Color.RED,))("red") is Color.RED
    assert choice_of((1, "a", 0.5), ())(1.0) == 1


@pytest.mark.parametrize("value", ["b", True, None, 2, [1], {"a": 1}])
def test_what_is_no_choice_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^must be one of: 1, a$"):
        choice_of((1, "a"), ())(value)


def test_true_and_one_are_two_choices() -> None:
    choose = choice_of((1, True), ("one", "yes"))
    assert (choose(1), choose(True)) == ("one", "yes")


@pytest.mark.parametrize(("name", "value"), [("int", True), ("float", False), ("bool", 1)])
def test_booleans_are_no_numbers(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^expected"):
        SCALARS[name](value)


def test_types_have_the_names_of_json() -> None:
    assert [json_name(value) for value in (None, True, 1, 1.0, "", [1], {"a": 1})] == [
        "null",
        "boolean",
        "integer",
        "number",
        "string",
        "array",
        "object",
    ]
