"""Folders for temporary files: made locked, removed by their owner, swept by the next server if that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cogworks.server.temporary_folder import (
    UPLOADS_PREFIX,
    WORKER_PREFIX,
    make_folder,
    remove_stale_folders,
)

MAKE_AND_DIE = (
    "import os\n"
    "import sys\n"
    "from cogworks.server.temporary_folder import make_folder\n"
    "folder = make_folder(sys.argv[1])\n"
    "(folder.path / 'left.txt').write_text('left')\n"
    "print(folder.path, flush=True)\n"
    "os.kill(os.getpid(), 9)\n"
)


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leave_one_behind(parent: Path, prefix: str = WORKER_PREFIX) -> Path:
    environment = {**os.environ, "TMPDIR": str(parent)}
    dead = subprocess.run(
        [sys.executable, "-c", MAKE_AND_DIE, prefix],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert dead.returncode == -9, dead.stderr
    return Path(dead.stdout.strip())


def test_a_folder_is_removed_by_its_owner_also_where_a_model_has_locked_it_away(
    parent: Path,
) -> None:
    folder = make_folder(WORKER_PREFIX)
    inner = folder.path / "inner"
    inner.mkdir()
    (inner / "file").write_text("x")
    inner.chmod(0)
    folder.remove()
    folder.remove()
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("prefix", [WORKER_PREFIX, UPLOADS_PREFIX])
def test_what_a_killed_process_left_is_swept_and_nothing_else(parent: Path, prefix: str) -> None:
    mine = make_folder(prefix)
    stale = leave_one_behind(parent, prefix)
    others = parent / f"{prefix}file"
    others.write_text("not a folder")
    (parent / f"{prefix}link").symlink_to(mine.path)
    (parent / "somebody-elses").mkdir()
    assert (stale / "left.txt").exists()
    assert remove_stale_folders(parent) == 1
    assert not stale.exists()
    assert sorted(path.name for path in parent.iterdir()) == sorted(
        [mine.path.name, others.name, f"{prefix}link", "somebody-elses"]
    )
    mine.remove()


def test_a_folder_that_is_just_being_swept_is_not_used(parent: Path) -> None:
    stale = leave_one_behind(parent)
    folders = [make_folder(WORKER_PREFIX) for _ in range(3)]
    assert stale not in [folder.path for folder in folders]
    assert remove_stale_folders(parent) == 1
    for folder in folders:
        assert folder.path.is_dir()
        folder.remove()


def test_folders_are_made_while_others_sweep(parent: Path) -> None:
    is_over = threading.Event()

    def sweep() -> None:
        while not is_over.is_set():
            remove_stale_folders(parent)

    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(sweep)
        try:
            for _ in range(300):
                folder = make_folder(WORKER_PREFIX)
                assert folder.path.is_dir()
                folder.remove()
        finally:
            is_over.set()


def test_a_parent_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert remove_stale_folders(tmp_path / "nowhere") == 0
