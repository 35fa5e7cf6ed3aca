from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cogworks.schema.errors import SchemaError
from cogworks.schema.source import MAX_SOURCE_BYTES, Place, read_source, text_of

from .project import expression


def test_encoding_line_is_honoured(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_bytes("# coding: latin-1\nx = 'ä'\n".encode("latin-1"))
    assert read_source(path, "run.py").lines[1] == "x = 'ä'"


def test_warnings_about_the_text_are_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("x = '\\d'\n")
    read_source(path, "run.py")


def test_huge_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_bytes(b"\n" * (MAX_SOURCE_BYTES + 1))
    with pytest.raises(SchemaError, match="is larger than"):
        read_source(path, "run.py")


def test_syntax_error_has_its_line_and_the_grammar(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("x = 1\ny = = 2\n")
    with pytest.raises(SchemaError) as caught:
        read_source(path, "model/run.py")
    assert str(caught.value).startswith(
        "model/run.py:2: syntax error: invalid syntax\n    y = = 2\n"
    )
    assert "grammar of Python 3." in caught.value.advice


def test_place_of_several_lines_is_shown_by_its_first(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("x = [\n    1,\n]\n")
    source = read_source(path, "run.py")
    error = Place(source, source.tree.body[0]).error("no")
    assert str(error).splitlines()[1:] == ["    x = [", "    ^^^^^"]


def test_place_of_a_class_is_its_name(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("class Runner: pass\n")
    source = read_source(path, "run.py")
    place = Place(source, source.tree.body[0])
    assert str(place.error("no")).splitlines()[2] == "          ^^^^^^"
    assert place.describe() == "run.py:1"


def test_long_expressions_are_cut() -> None:
    assert text_of(expression("a+b")) == "a + b"
    assert len(text_of(expression("'" + "x" * 200 + "'"))) == 80


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"x = 1\ny = '\xe4'\n", 2, "is not utf-8: byte 0xe4 cannot be decoded"),
        (b"# coding: ascii\n\nx = '\xe4'\n", 3, "is not ascii: byte 0xe4 cannot be decoded"),
        (b"# coding: nonsense\n", 0, "cannot be read: unknown encoding: nonsense"),
        (b"# coding: rot13\nk = 1\n", 0, "cannot be read: 'rot13' is not a text encoding"),
        (b"x = 1\ny = '\0'\n", 2, "contains a null byte, which no Python source does"),
    ],
)
def test_text_that_cannot_be_read_says_where(
    tmp_path: Path, data: bytes, line: int, reason: str
) -> None:
    path = tmp_path / "run.py"
    path.write_bytes(data)
    with pytest.raises(SchemaError) as caught:
        read_source(path, "run.py")
    assert caught.value.line == line
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfx = 1\ny = nowhere\n",
        b"x = 1\r\ny = nowhere\r\n",
        b"x = 1\ry = nowhere\r",
        b"x = '\x0c\x0b\x1c'\ny = nowhere\n",
        b"\x0cx = 1\n\x0cy = nowhere\n",
        "x = '\u2028\u0085'\ny = nowhere\n".encode(),
    ],
)
def test_lines_are_those_that_python_counts(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "run.py"
    path.write_bytes(data)
    source = read_source(path, "run.py")
    statement = source.tree.body[1]
    assert isinstance(statement, ast.Assign)
    error = Place(source, statement.value).error("no")
    assert (error.line, str(error).splitlines()[1:]) == (
        2,
        ["    y = nowhere", "        ^^^^^^^"],
    )


def test_caret_is_below_what_it_means_behind_tabs(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("if x:\n\ty =\t[\tnowhere]\n")
    source = read_source(path, "run.py")
    node = next(item for item in ast.walk(source.tree) if getattr(item, "id", "") == "nowhere")
    shown = str(Place(source, node).error("no")).splitlines()
    assert shown[2].index("^") == shown[1].index("nowhere")


@pytest.mark.parametrize(
    "line", ["!pip install x", "%matplotlib inline", "%%time", "files = !ls", "run?", "?run"]
)
def test_commands_of_notebooks_are_named_as_such(tmp_path: Path, line: str) -> None:
    path = tmp_path / "run.py"
    path.write_text(f"import os\n{line}\n")
    with pytest.raises(SchemaError, match="a notebook's command") as caught:
        read_source(path, "run.py")
    assert caught.value.line == 2


def test_long_lines_are_shown_around_the_caret(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text(f"x = ['{'a' * 500}', nowhere, '{'b' * 500}']\n")
    source = read_source(path, "run.py")
    node = next(item for item in ast.walk(source.tree) if getattr(item, "id", "") == "nowhere")
    shown = str(Place(source, node).error("no")).splitlines()
    assert len(shown[1]) < 130
    assert shown[1][shown[2].index("^") :].startswith("nowhere")


def test_control_characters_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_text("x = '\x1b[31m' + nowhere\n")
    source = read_source(path, "run.py")
    assert "\x1b" not in str(Place(source, source.tree.body[0]).error("no"))
