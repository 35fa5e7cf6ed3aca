from __future__ import annotations

import os
from pathlib import Path

import pytest

from cogworks.cli.progress import QuietProgress
from cogworks.engines.health import OLD_AFTER_S, broken_environments, find_write_problem, leftovers
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
    cache = tmp_path / "no" / "cache"
    assert find_write_problem(cache) == ""
    assert not (tmp_path / "no").exists()
    assert broken_environments(cache) == leftovers(cache, ()) == []


def test_a_file_in_its_place_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert find_write_problem(tmp_path / "cache") == "Not a directory"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no such system of files here")
def test_a_folder_that_only_seems_to_be_writable_is_found_out() -> None:
    assert find_write_problem(Path("/proc/nope")) != ""
    assert find_write_problem(Path("/proc")) != ""


def test_an_environment_whose_python_has_gone_is_broken(tmp_path: Path) -> None:
    make_environment(tmp_path, "sound")
    (make_environment(tmp_path, "broken") / "bin" / "python").unlink()
    assert [path.name for path in broken_environments(tmp_path)] == ["broken"]


def test_what_is_being_made_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "envs")
    directory = store.new_directory("now")
    directory.mkdir()
    with store.lock("now", QuietProgress()):
        assert broken_environments(tmp_path) == leftovers(tmp_path, ()) == []
    assert [path.name for path in broken_environments(tmp_path)] == ["now"]


def test_what_lies_beside_a_sound_environment_is_left_over(tmp_path: Path) -> None:
    beside = make_environment(tmp_path, "sound").with_name("half")
    beside.mkdir()
    assert leftovers(tmp_path, ()) == [beside]


@pytest.mark.parametrize(
    "name", ["sdk/.partial-x", "envs/resolutions/new-x", "envs/inputs/a.json.x.tmp"]
)
def test_old_leftovers_are_found_and_young_ones_may_be_in_use(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert leftovers(tmp_path, ()) == []
    long_ago = path.stat().st_mtime - OLD_AFTER_S - 1
    os.utime(path, (long_ago, long_ago))
    assert leftovers(tmp_path, ()) == [path]
