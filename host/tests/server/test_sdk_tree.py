"""The folder that workers are started from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cogworks.server.sdk_tree import materialize


def test_it_holds_the_sdk_and_nothing_else(tmp_path: Path) -> None:
    tree = materialize(tmp_path)
    assert sorted(path.name for path in tree.iterdir()) == ["__main__.py", "cog"]
    assert (tree / "cog" / "_worker" / "main.py").exists()


def test_it_is_made_once(tmp_path: Path) -> None:
    tree = materialize(tmp_path)
    (tree / "mark").touch()
    assert materialize(tmp_path) == tree
    assert (tree / "mark").exists()


def test_several_at_once_end_with_one_and_leave_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        trees = set(threads.map(materialize, [tmp_path] * 8))
    assert [*(tmp_path / "sdk").iterdir()] == [*trees]
