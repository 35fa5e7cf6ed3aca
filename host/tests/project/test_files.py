"""Finding and reading a project on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.project import ConfigError, ConfigNotFoundError, load_project
from cogworks.project.errors import TextError
from cogworks.project.files import MAX_FILE_BYTES, DiskFiles, find_config, read_text


def test_the_nearest_configuration_upward_is_taken(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "cog.yaml").write_text("run: top.py:X\n")
    assert load_project(deep).directory == tmp_path
    (tmp_path / "a" / "cog.yaml").write_text("run: near.py:X\n")
    assert load_project(deep).run == "near.py:X"


def test_another_name_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("run: a.py:X\n")
    assert load_project(tmp_path, "other.yaml").config_path == tmp_path / "other.yaml"


def test_a_directory_of_that_name_is_not_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "a" / "no-such.yaml").mkdir(parents=True)
    with pytest.raises(ConfigNotFoundError):
        find_config(tmp_path / "a", "no-such.yaml")


def test_nothing_found_is_said_with_name_and_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigNotFoundError) as caught:
        load_project(tmp_path, "no-such.yaml")
    expected = f"no-such.yaml not found in {tmp_path} (or in any parent directories)"
    assert str(caught.value) == expected


def test_a_relative_start_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cog.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert load_project(Path()).directory == tmp_path


def test_the_search_ends_after_100_levels(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 101)
    deep.mkdir(parents=True)
    (tmp_path / "cog.yaml").write_text("")
    with pytest.raises(ConfigNotFoundError):
        load_project(deep)
    assert load_project(deep.parent.parent).directory == tmp_path


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "cog.yaml").write_bytes(b"\xef\xbb\xbfrun: a.py:X\r\n")
    assert load_project(tmp_path).run == "a.py:X"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: 1\nb: \xff\n", "cog.yaml:2: the file is not UTF-8 text (byte 0xff)"),
        ("a: 1".encode("utf-16"), "cog.yaml:1: the file is not UTF-8 text (byte 0xff)"),
        (
            b"#" * (MAX_FILE_BYTES + 1),
            f"cog.yaml:1: the file is bigger than {MAX_FILE_BYTES} bytes",
        ),
    ],
)
def test_bytes_that_are_no_text_are_an_error_of_the_configuration(
    tmp_path: Path, data: bytes, expected: str
) -> None:
    (tmp_path / "cog.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == expected


def test_a_file_that_cannot_be_opened_is_a_text_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="the file cannot be read: No such file or directory"):
        read_text(tmp_path / "missing")


def test_a_pyproject_has_dependencies_when_it_has_a_project_table(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    assert not DiskFiles().has_dependencies(pyproject)
    pyproject.write_text("[tool.ruff]\n# [project]\n")
    assert not DiskFiles().has_dependencies(pyproject)
    pyproject.write_text("[build-system]\n [project] # x\nname = 'a'\n")
    assert DiskFiles().has_dependencies(pyproject)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    files = DiskFiles()
    assert files.resolve(tmp_path / "link") == (tmp_path / "real").resolve()
    assert files.is_file(tmp_path / "link")
    assert files.read_text(tmp_path / "link") == "x"
