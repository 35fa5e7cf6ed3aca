from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.checkup.changes import Changes


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(b"one\n")
    (tmp_path / "b").write_bytes(b"two\n")
    return tmp_path


def test_files_are_written_made_and_removed_together(folder: Path) -> None:
    Changes({folder / "a": b"1\n", folder / "c": b"3\n", folder / "b": None}).apply()
    assert contents(folder) == {"a": b"1\n", "c": b"3\n"}


def test_nothing_is_changed_when_the_last_step_fails(folder: Path) -> None:
    def fail() -> None:
        raise OSError("disk on fire")

    before = contents(folder)
    changes = Changes({folder / "a": b"1\n", folder / "c": b"3\n", folder / "b": None}, also=fail)
    with pytest.raises(OSError, match="disk on fire"):
        changes.apply()
    assert contents(folder) == before


def test_nothing_is_changed_when_a_file_has_no_place(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(OSError, match="no"):
        Changes({folder / "a": b"1\n", folder / "no" / "c": b"3\n"}).apply()
    assert contents(folder) == before


def test_the_difference_tells_of_renames_and_of_new_files(folder: Path) -> None:
    changes = Changes(
        {folder / "c": b"ONE\n", folder / "d": b"new\n", folder / "a": None},
        renamed_from={folder / "c": folder / "a"},
    )
    assert changes.diff(folder).splitlines() == [
        "--- a/a",
        "+++ b/c",
        "@@ -1 +1 @@",
        "-one",
        "+ONE",
        "--- /dev/null",
        "+++ b/d",
        "@@ -0,0 +1 @@",
        "+new",
    ]
