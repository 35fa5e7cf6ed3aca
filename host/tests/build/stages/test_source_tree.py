"""Folders that packages are built of: what counts for their digest, and what is in their archive."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from cogworks.build.errors import ContextError
from cogworks.build.stages.source_tree import read_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lib"
    (folder / "pixel").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "pixel" / "__init__.py").write_text("x = 1\n")
    (folder / "link").symlink_to("pixel")
    return folder


def test_where_and_when_do_not_count(tmp_path: Path, folder: Path) -> None:
    digest = read_tree(folder).digest
    os.utime(folder / "pyproject.toml", (1, 1))
    for name in (".git/HEAD", "pixel/__pycache__/x.pyc", "pixel.egg-info/PKG-INFO", ".venv/x"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    assert read_tree(folder.rename(tmp_path / "moved")).digest == digest


def test_contents_names_links_and_rights_count(folder: Path) -> None:
    digests = {read_tree(folder).digest}
    (folder / "pixel" / "__init__.py").write_text("x = 2\n")
    digests.add(read_tree(folder).digest)
    (folder / "pixel" / "__init__.py").rename(folder / "pixel" / "other.py")
    digests.add(read_tree(folder).digest)
    (folder / "pixel" / "other.py").chmod(0o755)
    digests.add(read_tree(folder).digest)
    (folder / "link").unlink()
    digests.add(read_tree(folder).digest)
    assert len(digests) == 5


def test_an_archive_has_one_folder_at_its_top(tmp_path: Path, folder: Path) -> None:
    read_tree(folder).write(tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames() == [
            *("source/pixel/__init__.py", "source/pyproject.toml", "source/link")
        ]
        assert archive.getmember("source/link").linkname == "pixel"


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match=r"gone cannot be read"):
        read_tree(tmp_path / "gone")
