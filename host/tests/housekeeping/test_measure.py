from __future__ import annotations

import os
from pathlib import Path

from cogworks.housekeeping.entry import Size
from cogworks.housekeeping.measure import measure


def test_files_are_added_up_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(bytes(1000))
    (tmp_path / "y").write_bytes(bytes(500))
    (tmp_path / "a" / "link").symlink_to(tmp_path / "y")
    size = measure([tmp_path / "a"])
    assert 1000 < size.total_bytes < 1500
    assert measure([tmp_path / "y", tmp_path / "gone"]) == Size(500, 500)


def test_a_file_with_a_name_elsewhere_frees_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "x").write_bytes(bytes(100))
    os.link(tmp_path / "a" / "x", tmp_path / "b" / "x")
    assert measure([tmp_path / "a"]) == Size(100, 0)
    # Both names together: the file counts once, and would be gone.
    assert measure([tmp_path]) == Size(100, 100)
