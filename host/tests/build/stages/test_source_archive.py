"""Archives of sources: what their names tell, and commits of repositories as archives."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from cogworks.build.errors import BuildError, DownloadError
from cogworks.build.stages.source_archive import archive_commit, needs_compiler

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


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


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


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
    archive_commit(str(repository), commit, target, ENVIRONMENT)
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
        archive_commit(str(repository), "0" * 40, tmp_path / "x.tar", ENVIRONMENT)
    url = "http://me:hunter22@127.0.0.1:9/x.git"
    with pytest.raises(DownloadError, match="cannot be fetched") as raised:
        archive_commit(url, "0" * 40, tmp_path / "y.tar", ENVIRONMENT)
    assert "hunter22" not in str(raised.value)


def test_without_git_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"git is needed for x, and cannot be started"):
        archive_commit("x", "0" * 40, tmp_path / "x.tar", {"PATH": str(tmp_path)})
