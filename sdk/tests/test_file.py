"""Files as streams."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cog import File, URLFile
from cog.errors import DownloadError

if TYPE_CHECKING:
    from .conftest import FileServer


def test_an_open_file_passes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with (tmp_path / "x").open("rb") as file:
        assert File.validate(file) is file


def test_a_data_url_is_a_stream_in_memory() -> None:
    file = File.validate("data:text/plain;base64,aGVsbG8=")
    assert isinstance(file, io.BytesIO)
    assert file.read() == b"hello"


def test_a_http_url_is_a_lazy_stream(server: FileServer) -> None:
    file = File.validate(server.serve("/a/photo.jpg", b"jpeg"))
    assert isinstance(file, URLFile)
    assert file.name == "photo.jpg"
    assert server.requests == []
    with file:
        assert file.read() == b"jpeg"
    assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["photo.jpg", "ftp://h/x", "", 7, None, b"data:,x"])
def test_anything_else_is_a_value_error_that_names_the_schemes(value: object) -> None:
    with pytest.raises(ValueError, match="'http', 'https' or 'data'"):
        File.validate(value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:,x", "/etc/passwd"])
def test_a_url_file_is_http_only(url: str) -> None:
    with pytest.raises(ValueError, match="'http'"):
        URLFile(url)


def test_a_url_file_reads_in_pieces_and_lines(server: FileServer) -> None:
    url = server.serve("/lines", b"one\ntwo\nthree")
    with URLFile(url) as file:
        assert file.read(2) == b"on"
        assert file.readline() == b"e\n"
        assert file.peek(1)[:3] == b"two"
        assert file.read1(4) == b"two\n"
        assert list(file) == [b"three"]
        assert file.read() == b""
    with URLFile(url) as file:
        buffer = bytearray(5)
        assert file.readinto(buffer) == 5
        assert bytes(buffer) == b"one\nt"


def test_a_url_file_can_be_read_as_text(server: FileServer) -> None:
    url = server.serve("/text", "ä\n".encode())
    with io.TextIOWrapper(URLFile(url), encoding="utf-8") as text:
        assert text.read() == "ä\n"


def test_a_url_file_cannot_be_read_after_closing(server: FileServer) -> None:
    file = URLFile(server.serve("/x", b"x"))
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()
    assert server.requests == []


def test_a_url_file_survives_pickling_and_is_fetched_where_it_is_loaded(
    server: FileServer,
) -> None:
    with URLFile(server.serve("/x.bin", b"bytes"), filename="y.bin") as file:
        assert file.read() == b"bytes"
        with pickle.loads(pickle.dumps(file)) as copy:
            assert copy.name == "y.bin"
            assert copy.read() == b"bytes"


def test_a_missing_file_is_a_download_error_when_it_is_read(server: FileServer) -> None:
    with URLFile(server.serve("/x", status=404)) as file, pytest.raises(DownloadError, match="404"):
        file.read()


def test_a_url_file_shows_its_name_and_not_its_query() -> None:
    assert repr(URLFile("https://h/x.png?token=hidden")) == "URLFile('x.png')"
