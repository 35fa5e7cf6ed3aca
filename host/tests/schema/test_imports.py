from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.schema import imports
from cogworks.schema.imports import imported_files

from .project import Project

FILES = {
    "run.py": "import a.b, os\nfrom package import (one,\n    two as three)\nfrom c import x; y = 1\n",
    "a/b.py": "from . import d\n",
    "a/d.py": "def f():\n    import lazy\n",
    "lazy.py": "import run\n",
    "package/__init__.py": "from .one import *\n",
    "package/one.py": "from ..nowhere import x\n",
    "package/two.py": "",
    "c.py": "from 1x import y\n",
    "unused.py": "",
}


def names(folder: Path) -> set[str]:
    files = imported_files(folder / "run.py", (folder,))
    return {path.relative_to(folder).as_posix() for path, _ in files}


def test_files_that_an_import_reaches_are_found(tmp_path: Path) -> None:
    Project(tmp_path, FILES)
    assert names(tmp_path) == set(FILES) - {"unused.py"}


def test_first_folder_wins(tmp_path: Path) -> None:
    Project(tmp_path, {"run.py": "import x\n", "x.py": "", "src/x.py": ""})
    found = [path for path, _ in imported_files(tmp_path / "run.py", (tmp_path, tmp_path / "src"))]
    assert found == [tmp_path / "run.py", tmp_path / "x.py"]


def test_files_that_are_there_no_more_are_left_out(tmp_path: Path) -> None:
    assert names(tmp_path) == set()


def test_number_and_size_of_files_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"m{number}.py": f"import m{number + 1}\n" for number in range(9)}
    Project(tmp_path, {"run.py": "import m0\n", **files})
    monkeypatch.setattr(imports, "MAX_FILES", 3)
    assert len(names(tmp_path)) == 3
    monkeypatch.setattr(imports, "MAX_BYTES", 3)
    assert names(tmp_path) == {"run.py"}
