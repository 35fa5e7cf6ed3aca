"""The language itself is tested where it comes from: ``tests/build/test_dockerignore.py``."""

from __future__ import annotations

import pytest

from cogworks.project.path_patterns import PatternError, parse_pattern, parse_patterns


def test_a_later_pattern_wins_and_an_exception_takes_back() -> None:
    patterns = parse_patterns(["models", "!models/*.py", " models/last.py "])
    assert patterns.matches("models/a.bin")
    assert not patterns.matches("models/a.py")
    assert patterns.matches("models/last.py")
    assert patterns.has_exceptions


def test_a_mark_that_starts_a_comment_in_a_file_is_a_plain_character_here() -> None:
    assert parse_patterns(["#x"]).matches("#x")


@pytest.mark.parametrize("text", ["", "  ", "!", "! ", "a[", "a\\", "[b-a]"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        parse_pattern(text)
