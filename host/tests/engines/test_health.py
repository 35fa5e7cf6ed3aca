from __future__ import annotations

import os
from pathlib import Path

import pytest

from cogworks.cli.progress import QuietProgress
from cogworks.engines.health import OLD_AFTER_S, repair, survey
from cogworks.engines.store import Store


def make_environment(cache: Path, key: str) -> Path:
    store = Store(cache / "envs")
    directory = store.new_directory(key)
    (directory / "bin").mkdir(parents=True)
    python = directory / "bin" / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    store.complete(key, directory)
    return directory


def test_a_cache_that_is_not_there_is_healthy(tmp_path: Path) -> None:
    health = survey(tmp_path / "no" / "cache")
    assert (health.is_writable, health.broken, health.leftovers) == (True, (), ())
    assert health.size_bytes == 0


def test_a_file_in_its_place_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert not survey(tmp_path / "cache").is_writable


def test_an_environment_whose_python_has_gone_is_broken(tmp_path: Path) -> None:
    make_environment(tmp_path, "sound")
    (make_environment(tmp_path, "broken") / "bin" / "python").unlink()
    assert [path.name for path in survey(tmp_path).broken] == ["broken"]
    repair(tmp_path)
    assert survey(tmp_path).broken == ()
    assert (tmp_path / "envs" / "sound").exists()


def test_what_is_being_made_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "envs")
    directory = store.new_directory("now")
    directory.mkdir()
    with store.lock("now", QuietProgress()):
        health = survey(tmp_path)
        assert health.broken == health.leftovers == ()
    assert [path.name for path in survey(tmp_path).broken] == ["now"]


@pytest.mark.parametrize(
    "name", ["sdk/.partial-x", "envs/resolutions/new-x", "envs/inputs/a.json.x.tmp"]
)
def test_old_leftovers_are_removed_and_young_ones_stay(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert survey(tmp_path).leftovers == ()
    long_ago = path.stat().st_mtime - OLD_AFTER_S - 1
    os.utime(path, (long_ago, long_ago))
    assert survey(tmp_path).leftovers == (path,)
    repair(tmp_path)
    assert not path.exists()


def test_sizes_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    health = survey(tmp_path)
    assert (health.size_bytes, health.is_size_partial) == (1000, False)
