from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from cogworks.build.context import read_context
from cogworks.build.errors import BuildError
from cogworks.build.layout import check_place, write_layout
from cogworks.build.products import FIRST_LINE
from cogworks.engines.lease import Lease
from host.tests.build.test_layout import PLATFORM, image


def taken(project: Path) -> list[str]:
    context = read_context(project)
    return [*(one.path for one in context.code), *context.folders]


@pytest.mark.parametrize("place", ["out", "image.tar"])
def test_an_image_that_was_written_into_the_project_is_no_part_of_the_next(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "run.py").touch()
    manifest, blobs = image()
    write_layout(tmp_path / place, manifest, PLATFORM, blobs)
    assert (tmp_path / place).exists()
    assert taken(tmp_path) == ["run.py"]


def test_a_context_for_docker_is_no_part_of_an_image(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"{FIRST_LINE}\nFROM x\n")
    (context / "pip_freeze.txt").touch()
    assert taken(tmp_path) == []
    # A Dockerfile that somebody keeps with other things is theirs.
    (context / "pip_freeze.txt").unlink()
    assert taken(tmp_path) == ["context/Dockerfile", "context"]


def test_other_archives_and_what_is_only_called_so_come_along(tmp_path: Path) -> None:
    (tmp_path / "empty.tar").touch()
    (tmp_path / "folder.tar").mkdir()
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(tmp_path / "empty.tar", "blobs/x")
    assert taken(tmp_path) == ["data.tar", "empty.tar", "folder.tar"]


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    assert taken(tmp_path) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("-", "not written to standard output"),
        ("image.tar.gz", r"one \.tar file, or a folder"),
        ("full", "neither empty nor an OCI layout"),
        ("full/file", "neither empty nor an OCI layout"),
        ("folder.tar", "is a folder, and is to be a file"),
        ("full/file/image.tar", "is not a folder"),
    ],
)
def test_a_place_for_no_image_is_told_before_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "folder.tar").mkdir()
    with pytest.raises(BuildError, match=reason):
        check_place(Path(place))


@pytest.mark.parametrize("place", ["new", "new/image.tar", "empty", "old.tar"])
def test_a_new_place_or_one_that_may_be_replaced_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "old.tar").touch()
    check_place(Path(place))


def test_a_cache_in_the_project_is_no_part_of_it(tmp_path: Path) -> None:
    Lease(tmp_path / "cache").claim(tmp_path / "cache" / "x")
    (tmp_path / "leases").mkdir()
    assert taken(tmp_path) == ["leases"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(BuildError, match="read-only for this user"):
        check_place(tmp_path / "image.tar")
    tmp_path.chmod(0o755)
