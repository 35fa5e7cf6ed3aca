from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cogworks.cli.checkup.source import NotEditable, SourceText


def read(folder: Path, text: str) -> SourceText:
    (folder / "x.py").write_bytes(text.encode())
    source = SourceText.read(folder / "x.py", folder)
    assert source is not None
    return source


def imports(source: SourceText) -> ast.ImportFrom:
    statement = source.tree.body[0]
    assert isinstance(statement, ast.ImportFrom)
    return statement


def test_a_file_without_edits_stays_as_it_is(tmp_path: Path) -> None:
    text = "x = 'ü'  # ü\r\nif x:\r\n\ty = 1"
    assert read(tmp_path, text).result() == text.encode()


@pytest.mark.parametrize("content", [b"x = (", b"\xff", b"\xef\xbb\xbfx = 1", b"x\0"])
def test_what_cannot_be_edited_safely_is_not_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.py").write_bytes(content)
    assert SourceText.read(tmp_path / "x.py", tmp_path) is None
    assert SourceText.read(tmp_path / "none.py", tmp_path) is None


def test_names_are_taken_out_of_an_import(tmp_path: Path) -> None:
    source = read(tmp_path, "from a import (\n    b,\n    c as d,\n)\nx = 1\n")
    source.remove_names(imports(source), {"d"})
    assert source.result() == b"from a import b\nx = 1\n"


def test_an_import_goes_with_its_last_name(tmp_path: Path) -> None:
    source = read(tmp_path, "from a import b  # why\nx = 1\n")
    source.remove_names(imports(source), {"b"})
    assert source.result() == b"x = 1\n"


def test_comments_in_an_import_are_not_lost(tmp_path: Path) -> None:
    source = read(tmp_path, "from a import (\n    b,  # why\n    c,\n)\n")
    with pytest.raises(NotEditable, match="line 1 has comments"):
        source.remove_names(imports(source), {"b"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1; y = 2\n", "line 1 holds more than one statement"),
        ("if z:\n    pass\nelse:\n    x = 1\n", "line 4 is all that is in its block"),
    ],
)
def test_statements_that_cannot_go_alone_are_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    source = read(tmp_path, text)
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Assign)]
    with pytest.raises(NotEditable, match=reason):
        source.remove(found[:1])


def test_an_empty_block_gets_a_pass(tmp_path: Path) -> None:
    source = read(tmp_path, "def f():\n    x = 1\n    y = 2\n")
    function = source.tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    source.remove(function.body)
    assert source.result() == b"def f():\n    pass\n"


def test_edits_that_meet_are_refused(tmp_path: Path) -> None:
    source = read(tmp_path, "x = 1\n")
    source.replace(source.tree.body[0], "y = 2")
    source.rename(source.tree.body[0], "x", "z")
    with pytest.raises(NotEditable, match="two changes meet"):
        source.result()


def test_a_result_that_is_no_python_is_refused(tmp_path: Path) -> None:
    source = read(tmp_path, "x = 1\n")
    source.replace(source.tree.body[0], "x = (")
    with pytest.raises(NotEditable, match="would not be Python"):
        source.result()
