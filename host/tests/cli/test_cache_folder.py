from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.cache_folder import cache_folder


def test_the_folder_is_the_named_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cache_folder({"COG_CACHE_DIR": "/cache"}) == "/cache"
    assert cache_folder({"COG_CACHE_DIR": "cache"}) == str(tmp_path / "cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder({"COG_CACHE_DIR": "~/cache"}) == str(tmp_path / "cache")


def test_without_one_it_is_the_platforms() -> None:
    assert Path(cache_folder({})).is_absolute()
    assert cache_folder({"COG_CACHE_DIR": ""}).endswith("cogworks")
