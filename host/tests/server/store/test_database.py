"""Files that are ours, and those that are not."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store import StoreError
from cogworks.server.store.database import connect


def test_a_new_file_is_for_its_owner_only(path: Path) -> None:
    with closing(connect(path)):
        assert path.stat().st_mode & 0o777 == 0o600
        logs = [name for name in path.parent.iterdir() if name != path]
        assert all(log.stat().st_mode & 0o077 == 0 for log in logs)


def test_a_file_of_ours_is_opened_again(path: Path) -> None:
    connect(path).close()
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_open_elsewhere_is_refused(path: Path) -> None:
    with closing(connect(path)), pytest.raises(StoreError, match="another server uses it"):
        connect(path)
    connect(path).close()


def test_a_file_that_another_process_has_is_refused(path: Path) -> None:
    code = (
        "import sys, pathlib; from cogworks.server.store.database import connect\n"
        "connection = connect(pathlib.Path(sys.argv[1])); print(flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StoreError, match="Give each server a file of its own"):
            connect(path)
        other.kill()
        other.wait()
        connect(path).close()


@pytest.mark.parametrize(
    "content", [b"no database at all" * 1000, b"SQLite format 3\0" + b"x" * 9999]
)
def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"runs\.db: it is damaged, or no database"):
        connect(path)
    assert path.read_bytes() == content


def test_a_page_that_was_overwritten_is_noticed(path: Path) -> None:
    with closing(connect(path)) as connection:
        rows = [(str(number), "?", 0.0, 0, b"x" * 500) for number in range(500)]
        connection.executemany(
            "INSERT INTO predictions (id, status, created_at, size, body) VALUES (?, ?, ?, ?, ?)",
            rows,
        )
    size_bytes = path.stat().st_size
    assert size_bytes > 200_000
    with path.open("r+b") as file:
        file.seek(size_bytes // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match="it is damaged"):
        connect(path)


def test_the_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.commit()
    content = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        connect(path)
    assert path.read_bytes() == content


def test_a_file_of_another_version_is_refused_with_both_numbers(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(StoreError, match="its layout is version 9, this server's is 2"):
        connect(path)


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    with closing(connect(path)) as connection:
        layout = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
        connection.execute("DROP INDEX untold")
        connection.execute("ALTER TABLE predictions DROP COLUMN webhook")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO predictions (id, status, created_at, size, body)"
            " VALUES ('a', 'starting', 0, 2, '{}')"
        )
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT id, webhook FROM predictions").fetchall() == [("a", None)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        names = connection.execute("SELECT name FROM sqlite_master WHERE sql NOT NULL").fetchall()
        assert len(names) == len(layout)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none/runs\.db: it cannot be opened: No such file"):
        connect(tmp_path / "none" / "runs.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused(path: Path) -> None:
    connect(path).close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match="Permission denied"):
        connect(path)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path, capfd: Any) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        connect(tmp_path)
