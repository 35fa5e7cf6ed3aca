"""Output files become data URLs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cogworks.server.files import inline_files


def test_a_token_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"abc")
    files = {"token": {"path": str(path), "name": "x.png", "remove": False}}
    value = {"a": ["token", "other"], "b": {"c": "token"}, "n": 1}
    url = "data:image/png;base64,YWJj"
    assert inline_files(value, files) == {"a": [url, "other"], "b": {"c": url}, "n": 1}
    assert path.exists()


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    files = {"token": {"path": str(path), "name": "x", "remove": True}}
    assert inline_files("token", files) == "data:text/plain;base64,YWJj"
    assert not path.exists()


def test_a_missing_file_is_an_error_and_the_others_are_still_removed(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.touch()
    files = {
        "a": {"path": str(tmp_path / "missing"), "name": "missing", "remove": False},
        "b": {"path": str(path), "name": "there", "remove": True},
    }
    with pytest.raises(FileNotFoundError):
        inline_files(["a", "b"], files)
    assert not path.exists()


def test_a_file_of_many_chunks_is_encoded_as_one(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    content = bytes(range(256)) * 8192 + b"end"
    path.write_bytes(content)
    files = {"token": {"path": str(path), "name": "x.bin", "remove": False}}
    url = inline_files("token", files)
    assert base64.b64decode(url.partition(",")[2]) == content
