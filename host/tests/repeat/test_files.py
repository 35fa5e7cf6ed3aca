from __future__ import annotations

import os
from pathlib import Path

from cogworks.repeat.files import (
    are_unchanged,
    file_clock,
    identities,
    identity_of,
    is_settled,
    sha256_of,
    stamp_of,
)


def test_a_file_that_is_written_touched_or_replaced_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    first = identity_of(str(path))
    os.utime(path, ns=(1, 1))
    second = identity_of(str(path))
    (tmp_path / "b").write_text("two")
    os.replace(tmp_path / "b", path)
    assert first is not None
    assert len({str(one) for one in (first, second, identity_of(str(path)))}) == 3


def test_what_was_missing_has_to_be_missing_still(tmp_path: Path) -> None:
    known = identities([str(tmp_path / "a"), str(tmp_path / "b")])
    assert set(known.values()) == {None}
    assert are_unchanged(known)
    (tmp_path / "b").touch()
    assert not are_unchanged(known)


def test_a_link_is_looked_at_or_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    link = str(tmp_path / "link")
    assert identity_of(link) == identity_of(str(tmp_path / "file"))
    assert identity_of(link, follow=False) != identity_of(link)


def test_a_name_that_no_file_can_have_is_that_of_none() -> None:
    assert identity_of("a\0b") is None


def test_a_stamp_counts_files_at_any_depth_but_not_what_is_compiled(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.py").write_text("one")
    before = stamp_of([str(tmp_path)])
    (inner / "__pycache__").mkdir()
    (inner / "__pycache__" / "a.pyc").write_text("x")
    assert stamp_of([str(tmp_path)]) == before
    (inner / "a.py").write_text("more")
    assert stamp_of([str(tmp_path)]) != before


def test_a_file_is_settled_when_its_clock_has_gone_on() -> None:
    second = 1_000_000_000
    at = [1, 5 * second, 5 * second + 7, 1]
    assert not is_settled(at, 5.05)
    assert is_settled(at, 5.2)


def test_where_times_are_whole_seconds_it_takes_longer() -> None:
    second = 1_000_000_000
    assert not is_settled([1, 4 * second, 4 * second, 1], 5.9)
    assert is_settled([1, 4 * second, 4 * second, 1], 6.1)


def test_what_is_written_now_is_not_older_than_the_clock_of_files(tmp_path: Path) -> None:
    before = file_clock()
    (tmp_path / "a").write_text("a")
    known = identity_of(str(tmp_path / "a"))
    assert known is not None
    assert known[2] / 1e9 >= before


def test_a_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert sha256_of(str(tmp_path / "a")).startswith("2d711642b726b04401627ca9fbac32f5")
    assert sha256_of(str(tmp_path / "none")) == ""
