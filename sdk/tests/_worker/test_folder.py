"""The worker's folder for temporary files, where the model has removed it."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from cog._worker.folder import ensure_folder


def open_folder(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ensure_folder(str(tmp_path))
    descriptor = open_folder(tmp_path)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # It is somebody else's to lock.
    os.close(descriptor)


def test_one_that_is_made_again_is_locked_so_that_no_server_takes_it_for_a_stale_one(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "parent" / "folder"
    ensure_folder(str(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    descriptor = open_folder(folder)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_one_that_a_server_is_just_removing_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    swept = open_folder(folder)
    fcntl.flock(swept, fcntl.LOCK_EX)
    looks = [False]  # As if the worker had looked just before the folder was there.
    is_there = os.path.isdir

    def look(path: str) -> bool:
        return looks.pop() if looks else is_there(path)

    monkeypatch.setattr(os.path, "isdir", look)
    worker = threading.Thread(target=ensure_folder, args=(str(folder),))
    worker.start()
    folder.rmdir()
    os.close(swept)
    worker.join()
    assert folder.is_dir()
    descriptor = open_folder(folder)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
