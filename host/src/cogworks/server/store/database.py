"""The file of a store: opened for one server alone, checked before anything in it is believed."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

from cogworks.server.store.errors import StoreError

APPLICATION_ID = 0x436F_6757
"""Tells our files from other databases: "CogW" in the header, where SQLite has room for that."""

VERSION = 2
"""Of the layout below; a file of version 1 is brought up to it, one of a later version is refused."""

LAYOUT = """
CREATE TABLE predictions (
    number INTEGER PRIMARY KEY,  -- in the order of the ends; in flight, of the first put
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    completed_at REAL,           -- NULL while it is in flight
    size INTEGER NOT NULL,       -- of body, request and webhook when it was put, in bytes
    body BLOB NOT NULL,
    digest TEXT,
    request BLOB,
    webhook BLOB                 -- NULL unless its end is still to be told
);
CREATE INDEX finished ON predictions (completed_at, number, size) WHERE completed_at IS NOT NULL;
CREATE INDEX in_flight ON predictions (number) WHERE completed_at IS NULL;
CREATE INDEX untold ON predictions (completed_at) WHERE webhook IS NOT NULL;
"""

FROM_VERSION_1 = """
ALTER TABLE predictions ADD COLUMN webhook BLOB;
CREATE INDEX untold ON predictions (completed_at) WHERE webhook IS NOT NULL;
"""

MAX_JOURNAL_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut to this size when its content has been moved into the file."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or make it; nobody else can until the connection is closed or its process ends.

    All of its pages are checked, which takes about a second for a gigabyte.

    Raises:
        StoreError: another server uses it, it is damaged, no store of ours, or cannot be opened.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except OSError as error:
        raise StoreError(path, f"it cannot be opened: {error.strerror}") from error
    except sqlite3.Error as error:
        raise StoreError(path, explain(error)) from error
    try:
        _prepare(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise StoreError(path, explain(error)) from error
        raise
    return connection


def explain(error: sqlite3.Error) -> str:
    """Say in a sentence what SQLite says in a code. Source: sqlite.org/rescode.html."""
    name = getattr(error, "sqlite_errorname", None) or ""  # Errors of the module itself have none.
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another server uses it. Give each server a file of its own."
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"it is damaged, or no database ({error}). Move it away, a new one will be made."
    if name.startswith("SQLITE_FULL"):
        return "the disk is full"
    return str(error)


def _make_private(path: Path) -> None:
    """Make the file for our user only: it holds what people sent to the model.

    An existing one is left alone; to open and close it here would end the locks that this process
    has on it. Source: sqlite.org/howtocorrupt.html, section 2.2.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if not os.access(path, os.R_OK | os.W_OK):  # SQLite would call it a disk I/O error.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # Set before the first look into the file: the write-ahead log then needs no shared memory, and
    # the first transaction locks everybody else out.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    version = _check_owner(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    # With a write-ahead log this survives the death of the process without a sync at each commit.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA journal_size_limit = {MAX_JOURNAL_BYTES}")
    connection.execute("BEGIN IMMEDIATE")
    if version == 0:
        _execute_all(connection, LAYOUT)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise StoreError(path, f"it is damaged ({finding}). Move it away, a new one will be made.")
    if version == 1:
        connection.execute("BEGIN IMMEDIATE")
        _execute_all(connection, FROM_VERSION_1)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")


def _execute_all(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.strip().split(";\n"):
        connection.execute(statement)


def _check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file's layout, 0 if it is empty; refuse what is not ours to read."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if owner == 0 and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return 0
    if owner != APPLICATION_ID:
        raise StoreError(path, "it is the database of another program. Name another file.")
    if not 1 <= version <= VERSION:
        raise StoreError(
            path,
            f"its layout is version {version}, this server's is {VERSION}. "
            "Use the server that made it, or name another file.",
        )
    return int(version)
