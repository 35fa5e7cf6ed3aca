from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.schema.errors import SchemaError
from cogworks.schema.modules import Modules

from .project import Project

FILES = {
    "run.py": "",
    "config.py": "X = 1\n",
    "cog/__init__.py": "raise SystemExit\n",
    "typing.py": "raise SystemExit\n",
    "package/__init__.py": "",
    "package/inner.py": "",
    "folder/deep/module.py": "",
    "broken.py": "x = (\n",
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("config", True),
        ("package", True),
        ("package.inner", True),
        ("folder.deep.module", True),
        ("numpy", False),
        ("config.X", False),
        ("cog", False),
        ("typing", False),
    ],
)
def test_modules_of_the_project_are_found(tmp_path: Path, name: str, found: bool) -> None:
    assert (Project(tmp_path, FILES).modules.find(name) is not None) is found


def test_folder_without_init_is_a_package_without_names(tmp_path: Path) -> None:
    modules = Project(tmp_path, FILES).modules
    folder = modules.find("folder")
    assert folder is not None
    assert folder.scope is None
    deep = modules.submodule(folder, "deep")
    assert deep is not None
    assert modules.submodule(deep, "module") is not None


def test_relative_imports_stay_in_the_project(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", FILES)
    (tmp_path / "outside.py").write_text("")
    inner = project.modules.find("package.inner")
    assert inner is not None
    assert inner.scope is not None
    source = inner.scope.source
    assert project.modules.find_relative(source, 1, "inner") is not None
    assert project.modules.find_relative(source, 1, "") is not None
    assert project.modules.find_relative(source, 2, "config") is not None
    assert project.modules.find_relative(source, 3, "outside") is None


def test_modules_beside_the_main_file_are_found(tmp_path: Path) -> None:
    project = Project(tmp_path, {"model/run.py": "", "model/config.py": ""})
    assert project.modules.find("config") is None
    assert Modules(tmp_path, tmp_path / "model" / "run.py").find("config") is not None


def test_modules_in_src_are_found_last(tmp_path: Path) -> None:
    files = {"run.py": "", "src/inner.py": "", "config.py": "", "src/config.py": ""}
    project = Project(tmp_path, files)
    assert project.modules.find("inner") is not None
    config = project.modules.find("config")
    assert config is not None
    assert config.scope is not None
    assert config.scope.source.name == "config.py"


def test_file_is_parsed_once(tmp_path: Path) -> None:
    modules = Project(tmp_path, FILES).modules
    first, second = modules.find("config"), modules.find("config")
    assert first is not None
    assert second is not None
    assert first.scope is second.scope


def test_module_that_is_no_python_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"^broken\.py:1: syntax error"):
        Project(tmp_path, FILES).modules.find("broken")
