"""Files as paths, on the ``pathlib`` of every Python."""

from __future__ import annotations

import copy
import io
import os
import pathlib
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cog import Path, URLPath
from cog.errors import DownloadError

if TYPE_CHECKING:
    from .conftest import FileServer

HELLO = "data:text/plain;base64,aGVsbG8="


def test_a_path_is_a_pathlib_path_and_stays_one() -> None:
    path = Path("a") / "b.txt"
    assert isinstance(path, Path)
    assert isinstance(path, pathlib.PurePath)
    assert (type(path.parent), type(path.with_suffix(".png"))) == (Path, Path)
    assert path == pathlib.Path("a/b.txt")
    assert repr(path) == "Path('a/b.txt')"
    assert pickle.loads(pickle.dumps(path)) == path
    assert type(Path.cwd()) is Path


def test_a_path_reads_and_writes(tmp_path: pathlib.Path) -> None:
    path = Path(tmp_path) / "x.txt"
    path.write_text("hello")
    assert path.read_text() == "hello"
    assert [type(found) for found in Path(tmp_path).iterdir()] == [Path]


def test_paths_pass_validation() -> None:
    for path in (Path("x"), pathlib.Path("x"), URLPath.from_url(HELLO)):
        assert Path.validate(path) is path


def test_other_strings_are_local_paths() -> None:
    path = Path.validate("some/file.png")
    assert type(path) is Path
    assert str(path) == "some/file.png"


def test_what_is_no_path_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        Path.validate(7)


@pytest.mark.parametrize("url", [HELLO, "http://h/x.png", "HTTPS://h/x.png"])
def test_urls_become_lazy_paths(url: str) -> None:
    path = Path.validate(url)
    assert isinstance(path, URLPath)
    assert str(path) == path.source == url


def test_a_data_url_has_the_extension_of_its_media_type() -> None:
    path = URLPath.from_url("data:image/webp;base64,aGVsbG8=")
    assert (path.filename, path.name, path.suffix, path.stem) == (
        "file.webp",
        "file.webp",
        ".webp",
        "file",
    )


def test_another_url_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="'http', 'https' or 'data'"):
        URLPath.from_url("ftp://h/x")


def test_nothing_is_fetched_before_it_is_needed(
    server: FileServer, temporary_files: pathlib.Path
) -> None:
    path = Path.validate(server.serve("/a/my%20photo.jpg", b"jpeg"))
    assert (path.name, path.suffix) == ("my photo.jpg", ".jpg")
    assert server.requests == []
    assert list(temporary_files.iterdir()) == []


def test_converting_fetches_once(server: FileServer, temporary_files: pathlib.Path) -> None:
    path = URLPath.from_url(server.serve("/photo.jpg", b"jpeg"))
    local = path.convert()
    assert type(local) is Path
    assert local.parent == temporary_files
    assert local.name.endswith("photo.jpg")
    assert local.name != "photo.jpg"
    assert local.read_bytes() == b"jpeg"
    assert path.convert() == local
    assert len(server.requests) == 1


def test_converting_in_many_threads_fetches_once(
    server: FileServer, temporary_files: pathlib.Path
) -> None:
    path = URLPath.from_url(server.serve("/x", b"x"))
    with ThreadPoolExecutor(4) as pool:
        found = {future.result() for future in [pool.submit(path.convert) for _ in range(4)]}
    assert len(found) == len(server.requests) == len(list(temporary_files.iterdir())) == 1


def test_the_file_may_go_to_another_directory(tmp_path: pathlib.Path) -> None:
    assert URLPath.from_url(HELLO).convert(str(tmp_path)).parent == tmp_path


def test_whatever_reads_it_reads_the_file(
    server: FileServer, temporary_files: pathlib.Path
) -> None:
    path = URLPath.from_url(server.serve("/x.txt", b"text"))
    with open(path) as file:
        assert file.read() == "text"
    with path.open("rb") as binary:
        assert binary.read() == b"text"
    assert (path.read_text(), path.read_bytes()) == ("text", b"text")
    assert (path.exists(), path.is_file(), path.stat().st_size) == (True, True, 4)
    assert os.path.getsize(path) == 4
    assert os.fspath(path) == str(path.convert()) == str(path.absolute()) == str(path.resolve())
    shutil.copy(path, temporary_files / "copy")
    assert (temporary_files / "copy").read_bytes() == b"text"
    assert len(server.requests) == 1


def test_what_is_derived_is_a_plain_path() -> None:
    path = URLPath.from_url("https://h/photo.jpg")
    for derived in (path.parent, path.with_suffix(".png"), path / "x", path.with_name("y")):
        assert type(derived) is Path
    assert str(path.with_suffix(".png")) == "photo.png"


def test_unlinking_removes_what_was_fetched(temporary_files: pathlib.Path) -> None:
    path = URLPath.from_url(HELLO)
    local = path.convert()
    path.unlink()
    assert not local.exists()
    path.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        path.unlink()


def test_unlinking_before_fetching_is_like_a_missing_file() -> None:
    path = URLPath.from_url(HELLO)
    path.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match="not been fetched"):
        path.unlink()


def test_a_failed_download_leaves_nothing_and_may_be_tried_again(
    server: FileServer, temporary_files: pathlib.Path
) -> None:
    path = URLPath.from_url(server.serve("/x", b"half", announced_bytes=8))
    with pytest.raises(DownloadError):
        path.convert()
    assert list(temporary_files.iterdir()) == []
    server.serve("/x", b"whole")
    assert path.convert().read_bytes() == b"whole"


def test_its_own_stream_is_read_and_closed(temporary_files: pathlib.Path) -> None:
    stream = io.BytesIO(b"content")
    path = URLPath(source="memory", filename="a/b.txt", fileobj=stream)
    assert path.convert().read_bytes() == b"content"
    assert path.convert().name.endswith("a_b.txt")
    assert stream.closed


def test_equal_sources_are_equal_paths() -> None:
    first, second = URLPath.from_url(HELLO), URLPath.from_url(HELLO)
    assert first == second
    assert len({first, second, URLPath.from_url("data:,x")}) == 2
    assert first != Path("file.txt")
    assert Path("file.txt") != first


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_fetched_by_itself(
    duplicate: Callable[[URLPath], URLPath], temporary_files: pathlib.Path
) -> None:
    path = URLPath.from_url(HELLO)
    path.convert()
    copied = duplicate(path)
    assert copied == path
    assert copied.convert() != path.convert()
    assert copied.convert().read_text() == "hello"


def test_a_pickled_one_keeps_its_name(server: FileServer, temporary_files: pathlib.Path) -> None:
    url = server.serve("/x", b"x")
    path = URLPath(source=url, filename="y.txt", fileobj=io.BytesIO())
    copied = pickle.loads(pickle.dumps(path))
    assert (copied.source, copied.filename) == (url, "y.txt")
    assert copied.convert().read_bytes() == b"x"


def test_showing_a_big_data_url_is_short() -> None:
    path = URLPath.from_url("data:;base64," + "A" * 10_000)
    assert len(repr(path)) < 100
