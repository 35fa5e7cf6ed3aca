from __future__ import annotations

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
