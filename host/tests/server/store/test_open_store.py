"""URLs of stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cogworks.server.store import MemoryStore, StoreUrlError, open_store
from cogworks.server.store.sqlite import SqliteStore


def test_memory_is_a_store() -> None:
    store = open_store("memory:")
    assert isinstance(store, MemoryStore)
    assert not store.is_durable


def test_three_slashes_are_followed_by_the_path(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    relative = open_store("sqlite:///runs.db")
    absolute = open_store(f"sqlite:///{tmp_path}/other.db")
    assert isinstance(relative, SqliteStore)
    assert isinstance(absolute, SqliteStore)
    assert relative.is_durable
    assert relative.path == Path.cwd() / "runs.db"
    assert absolute.path == tmp_path / "other.db"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url", ["", "sqlite:", "sqlite:///", "redis://x", "runs.db", "sqlite:///\0"]
)
def test_anything_else_is_refused_with_what_there_is(url: str) -> None:
    with pytest.raises(StoreUrlError, match=r"Use memory:, sqlite:///file or"):
        open_store(url)
