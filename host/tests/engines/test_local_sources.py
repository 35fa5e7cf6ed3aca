"""Folders of this machine that a pyproject.toml takes packages from."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.local_sources import metadata_files

PYPROJECT = """\
[tool.uv.sources]
one = { path = "../one", editable = true }
two = [{ path = "libs/two", marker = "sys_platform == 'linux'" }, { index = "corp" }]
three = { git = "https://git.example/three.git" }
four = { workspace = true }

[tool.uv.workspace]
members = ["packages/*"]
"""


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_path_sources_and_members_of_the_workspace_are_found(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(tmp_path, "one/pyproject.toml", "one/one/__init__.py", "project/libs/two/setup.py")
    write(project, "libs/two/setup.cfg", "packages/four/pyproject.toml", "other/pyproject.toml")
    (project / "pyproject.toml").write_text(PYPROJECT)
    assert [
        str(one.relative_to(tmp_path)) for one in metadata_files(project / "pyproject.toml")
    ] == [
        "one/pyproject.toml",
        "project/libs/two/setup.cfg",
        "project/libs/two/setup.py",
        "project/packages/four/pyproject.toml",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[tool", "[tool.uv]\nsources = 1\n", "[tool.uv.workspace]\nmembers = [1, '', '/x']\n"],
)
def test_what_names_no_folders_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert metadata_files(tmp_path / "pyproject.toml") == ()
