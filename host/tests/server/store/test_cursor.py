"""Cursors: a number in disguise."""

from __future__ import annotations

from cogworks.server.store.cursor import END, MAX_DIGITS, parse


def test_no_cursor_is_above_every_number() -> None:
    assert parse(None) == END > parse("9" * MAX_DIGITS)


def test_a_number_comes_back() -> None:
    assert parse("12") == 12
