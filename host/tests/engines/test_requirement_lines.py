"""What a project names, from each kind of file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.requirement_lines import requirement_lines
from cogworks.project import Build, Project, RequirementsError


def project(folder: Path, name: str, text: str) -> Project:
    (folder / name).write_text(text)
    return Project(folder, folder / "cog.yaml", Build("3.11", requirements_file=folder / name))


def test_those_of_a_requirements_file(tmp_path: Path) -> None:
    lines = requirement_lines(project(tmp_path, "requirements.txt", "torch==2.5.1  # a\n\nnumpy\n"))
    assert lines == ("torch==2.5.1", "numpy")


def test_those_of_the_deprecated_list(tmp_path: Path) -> None:
    build = Build("3.11", python_packages=("torch==2.5.1",))
    assert requirement_lines(Project(tmp_path, tmp_path / "cog.yaml", build)) == ("torch==2.5.1",)


def test_those_of_a_pyproject_with_the_versions_of_its_lock(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\ndependencies = ["torch>=2", "numpy==2.1", "six", "both"]\n'
    packages = [("torch", "2.5.1+cu121"), ("numpy", "2.2"), ("both", "1"), ("both", "2")]
    lock = "".join(f'[[package]]\nname = "{name}"\nversion = "{v}"\n' for name, v in packages)
    (tmp_path / "uv.lock").write_text(lock)
    lines = requirement_lines(project(tmp_path, "pyproject.toml", text))
    assert lines == ("torch>=2", "torch==2.5.1+cu121", "numpy==2.1", "six", "both")


@pytest.mark.parametrize(
    "text", ["", "[project", "project = 1", "[project]\ndependencies = 7", "package = {}"]
)
def test_a_pyproject_that_names_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "uv.lock").write_text(text)
    assert requirement_lines(project(tmp_path, "pyproject.toml", text)) == ()


def test_problems_of_a_requirements_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequirementsError, match="file does not exist"):
        requirement_lines(project(tmp_path, "requirements.txt", "-r other.txt\n"))
