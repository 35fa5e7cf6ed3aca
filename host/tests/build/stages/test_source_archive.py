"""Archives of sources: what their names tell, and commits of repositories as archives."""

from __future__ import annotations

import base64
import tarfile
import zipfile
from pathlib import Path

import pytest

from cogworks.build.errors import BuildError, DownloadError
from cogworks.build.stages.source_archive import archive_commit, needs_compiler
from host.tests.engines.private_index import PASSWORD, USER, private_index

from .sources import GIT, git


def archive(folder: Path, *names: str) -> Path:
    path = folder / "x.tar.gz"
    with tarfile.open(path, "w:gz") as opened:
        for name in names:
            opened.addfile(tarfile.TarInfo(f"x-1.0/{name}"))
    return path


@pytest.mark.parametrize(
    "name", ["src/x.c", "x/_y.pyx", "Cargo.toml", "x/kernel.CU", "CMakeLists.txt", "meson.build"]
)
def test_files_for_compilers_tell_that_one_is_needed(tmp_path: Path, name: str) -> None:
    assert needs_compiler(archive(tmp_path, "setup.py", name))


@pytest.mark.parametrize("name", ["x/y.py", "tests/x.c", "docs/CMakeLists.txt", "x/data.csv", "c"])
def test_everything_else_is_pure_python(tmp_path: Path, name: str) -> None:
    assert not needs_compiler(archive(tmp_path, "setup.py", name))


def test_zip_archives_are_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as opened:
        opened.writestr("x-1.0/x.cpp", "")
    assert needs_compiler(tmp_path / "x.zip")


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"<html>")
    with pytest.raises(BuildError, match=r"x\.tar\.gz is no archive of a source"):
        needs_compiler(tmp_path / "x.tar.gz")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for text in ("first", "second"):
        (folder / "file").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", text)
    return folder


def test_a_commit_comes_with_its_history(tmp_path: Path, repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD~1")
    target = tmp_path / "out" / "x.tar"
    target.parent.mkdir()
    archive_commit(str(repository), commit, target, GIT)
    with tarfile.open(target) as opened:
        file = opened.extractfile("source/file")
        assert file is not None
        assert file.read() == b"first"
        assert "source/.git/HEAD" in opened.getnames()
    assert [one.name for one in target.parent.iterdir()] == ["x.tar"]


def test_a_commit_that_is_not_there_is_said_without_credentials(
    tmp_path: Path, repository: Path
) -> None:
    with pytest.raises(DownloadError, match=r"repository cannot be fetched: .*0000"):
        archive_commit(str(repository), "0" * 40, tmp_path / "x.tar", GIT)
    url = "http://me:hunter22@127.0.0.1:9/x.git"
    with pytest.raises(DownloadError, match="cannot be fetched") as raised:
        archive_commit(url, "0" * 40, tmp_path / "y.tar", GIT)
    assert "hunter22" not in str(raised.value)


def test_credentials_reach_git_and_stay_nowhere(tmp_path: Path, repository: Path) -> None:
    bare = tmp_path / "served" / "git" / "x.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(bare))
    git(bare, "update-server-info")
    target = tmp_path / "x.tar"
    with private_index(tmp_path / "served") as url:
        place = url.partition("@")[2].removesuffix("/simple")
        arguments = (f"http://{place}/git/x.git", git(bare, "rev-parse", "HEAD"), target)
        with pytest.raises(DownloadError, match="cannot be fetched"):
            archive_commit(*arguments, GIT)
        archive_commit(*arguments, GIT, (USER, PASSWORD))
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    data = target.read_bytes()
    assert b"source/.git/config" in data
    assert PASSWORD.encode() not in data
    assert encoded not in data


def test_without_git_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"git is needed for x, and cannot be started"):
        archive_commit("x", "0" * 40, tmp_path / "x.tar", {"PATH": str(tmp_path)})
