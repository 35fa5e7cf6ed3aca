"""Tests of what is written to files."""

import math

import pytest

from bench.overhead.report import Row
from bench.overhead.results import BEGIN, END, describe_row, render_breaks, replace_section


def test_new_section_takes_the_place_of_the_old_one() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert replace_section(page, "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has no"):
        replace_section("no marks", "new")


def test_number_that_was_not_measured_is_null() -> None:
    assert describe_row(Row("x", [{"p50": math.nan, "p99": 2.0}]))["rounds"] == [
        {"p50": None, "p99": 2.0}
    ]


def test_server_that_broke_halfway_is_named() -> None:
    rows = [
        Row("a", [{"p50": 1.0}], problem="boom"),
        Row("b", [{"p50": 1.0}]),
        Row("c", problem="-"),
    ]

    assert render_breaks(rows) == "a broke after 1 rounds: boom\n\n"
