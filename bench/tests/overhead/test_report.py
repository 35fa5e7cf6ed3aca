"""Tests of the table."""

import math

from bench.overhead.peers import BASELINE, OURS
from bench.overhead.report import COLUMNS, Row, render_table


def make_row(name: str, *values: float) -> Row:
    return Row(name, [dict.fromkeys((column.key for column in COLUMNS), v) for v in values])


def test_number_is_the_median_of_the_rounds() -> None:
    assert make_row(OURS, 1, 9, 2).find_median("cold_start_s") == 2


def test_round_without_a_number_does_not_count() -> None:
    assert make_row(OURS, math.nan, 4).find_median("cold_start_s") == 4


def test_ratio_is_to_the_baseline() -> None:
    table = render_table([make_row(OURS, 2), make_row(BASELINE, 4)])

    assert "2.00 (0.50x)" in table
    assert "4.00 |" in table


def test_without_the_baseline_there_are_no_ratios() -> None:
    assert "x)" not in render_table([make_row(OURS, 2)])


def test_server_that_was_not_measured_says_why() -> None:
    table = render_table([Row("cog 0.14.12", problem="cannot be installed: no | wheel")])

    assert "| cog 0.14.12 | not measured: cannot be installed: no / wheel |" in table


def test_every_line_has_the_same_number_of_cells() -> None:
    rows = [make_row(OURS, 2), Row("other", problem="gone")]

    assert {line.count("|") for line in render_table(rows).splitlines()} == {len(COLUMNS) + 2}
