"""Cursors: a number in disguise."""

from __future__ import annotations

from cogworks.server.store.cursor import END, MAX_DIGITS, first_number, parse


def test_no_cursor_is_above_every_number() -> None:
    assert parse(None) == END > parse("9" * MAX_DIGITS)


def test_a_number_comes_back() -> None:
    assert parse("12") == 12


def test_numbers_go_on_after_the_last_one_whatever_the_clock_says() -> None:
    assert first_number(0, 2.0) == 2_000_000
    assert first_number(5_000_000, 2.0) == 5_000_001
    assert len(str(first_number(0, 4e9))) < MAX_DIGITS
