"""The store: complete environments are found, everything else is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.store import MARKER, Environment, Store, interpreter_of, write_atomically

from .conftest import RecordingProgress


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "envs")


def fill(directory: Path) -> None:
    python = interpreter_of(directory)
    python.parent.mkdir(parents=True)
    python.write_text("")
    python.chmod(0o755)


def test_a_complete_environment_is_found_by_its_key_and_by_its_inputs(store: Store) -> None:
    directory = store.new_directory("k")
    fill(directory)
    assert store.find("k") is None
    environment = store.complete("k", directory)
    store.remember_inputs("i", "k")
    assert store.find("k") == environment == Environment(directory, interpreter_of(directory))
    assert store.find_by_inputs("i") == environment
    assert store.find_by_inputs("other") is None


def test_an_environment_without_its_interpreter_is_not_found(store: Store) -> None:
    directory = store.new_directory("k")
    fill(directory)
    store.complete("k", directory)
    interpreter_of(directory).chmod(0o644)
    interpreter_of(directory).unlink()
    assert store.find("k") is None


def test_a_new_directory_removes_what_earlier_builds_left(store: Store) -> None:
    first = store.new_directory("k")
    fill(first)
    store.complete("k", first)
    second = store.new_directory("k")
    assert second != first
    assert not first.exists()
    assert not second.exists()
    assert store.find("k") is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "3", '{"directory": 3}', "\x00"])
def test_a_damaged_note_counts_as_missing(store: Store, tmp_path: Path, damage: str) -> None:
    directory = store.new_directory("k")
    fill(directory)
    store.complete("k", directory)
    (tmp_path / "envs" / "k" / MARKER).write_text(damage)
    assert store.find("k") is None


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    write_atomically(path, "one")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "one"
    assert list(path.parent.iterdir()) == [path]


def test_a_free_lock_is_taken_in_silence(store: Store) -> None:
    progress = RecordingProgress()
    with store.lock("k", progress):
        pass
    with store.lock("k", progress):
        pass
    assert progress.stages == []
