from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.project.model import Build, Project
from cogworks.repeat.remember import takes_folders


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[project]\ndependencies = ["numpy"]\n', False),
        ('[tool.uv.sources]\nmine = { path = "mine" }\n', True),
        ("[tool.uv.sources]\nmine = {workspace=true}\n", True),
        ('[tool.uv.workspace]\nmembers = ["a"]\n', True),
        ('[project]\ndependencies = ["mine @ file:///mine"]\n', True),
    ],
)
def test_packages_of_folders_are_seen(tmp_path: Path, text: str, wanted: bool) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(text)
    project = Project(tmp_path, tmp_path / "cog.yaml", Build(requirements_file=pyproject))
    assert takes_folders(project) is wanted


def test_a_requirements_file_names_no_folders(tmp_path: Path) -> None:
    listed = Build(requirements_file=tmp_path / "requirements.txt")
    assert not takes_folders(Project(tmp_path, tmp_path / "cog.yaml", listed))
    assert not takes_folders(Project(tmp_path, tmp_path / "cog.yaml"))
    gone = Build(requirements_file=tmp_path / "pyproject.toml")
    assert takes_folders(Project(tmp_path, tmp_path / "cog.yaml", gone))
