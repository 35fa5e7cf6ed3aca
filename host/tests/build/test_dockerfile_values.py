from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogworks.build.dockerfile_values import LINE_CHARS, value_lines
from cogworks.build.errors import BuildError


def lines_of(value: str) -> list[str]:
    return list(value_lines("ENV", "NAME", value, "the variable NAME"))


def read(lines: list[str]) -> str:
    """Read a value as docker's parser does: comments and blank lines go, lines are joined, quotes are taken off."""
    for line in lines[1:]:
        assert line.strip()
        assert not line.lstrip().startswith("#")
        assert line == line.lstrip()
    joined = "".join(re.sub(r"\\[ \t]*$", "", line) for line in lines[:-1]) + lines[-1]
    assert not re.search(r"\\[ \t]*$", joined)
    text = joined.removeprefix("ENV NAME=")
    quote, inner = text[0], text[1:-1]
    assert text[-1] == quote
    if quote == "'":
        assert "'" not in inner
        return inner
    assert re.fullmatch(r'(?:[^"\\$]|\\["$\\])*', inner)
    return re.sub(r"\\(.)", r"\1", inner)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))
MARKS = st.lists(st.sampled_from([*"\\\"'$# \t{}a", "$HOME", "word", "\\\\", " # "]), max_size=400)


@pytest.mark.slow
@given(TEXTS | MARKS.map("".join))
@example("")
@example("\\")
@example("ends with it's \\")
@example("# " * 200)
@example(" " * 500)
@example("x" * 5000)
@example("'" + "\\#" * 300)
def test_a_value_arrives_as_it_is(value: str) -> None:
    assert read(lines_of(value)) == value


def test_a_plain_value_is_readable() -> None:
    assert lines_of('{"a": "$b"}') == ["""ENV NAME='{"a": "$b"}'"""]
    assert lines_of("it's $5") == ['ENV NAME="it\'s \\$5"']


def test_long_values_go_on_in_the_next_line() -> None:
    lines = lines_of("word " * 100_000)
    assert max(map(len, lines)) <= LINE_CHARS + 10


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\0"])
def test_a_line_break_cannot_be_said(value: str) -> None:
    with pytest.raises(BuildError, match="the variable NAME has a line break"):
        lines_of(value)
