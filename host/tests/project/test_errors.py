"""Messages about a project's files."""

from __future__ import annotations

from cogworks.project.errors import ConfigError, Problem, quote


def test_problems_are_sorted_by_line_and_rendered_one_a_line() -> None:
    error = ConfigError("cog.yaml", [Problem(2, "a.b", "wrong"), Problem(1, "", "bad")])
    assert str(error) == "cog.yaml:1: bad\ncog.yaml:2: a.b: wrong"
    assert error.exit_code == 1


def test_a_quoted_text_is_one_short_line() -> None:
    assert quote("a\n b") == '"a b"'
    assert len(quote("x" * 200)) == 82
    assert quote("x" * 200).endswith('x…"')
