from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cogworks._version import __version__
from cogworks.schema import SchemaError, describe

SYNC = "class Runner:\n    def run(self, text: str) -> str: ...\n"
TRAIN = "def train(data: str) -> str: ...\n"


@dataclass(frozen=True)
class Project:
    directory: Path
    run: str | None = None
    train: str | None = None
    concurrency_max: int | None = None


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "run.py").write_text(text)
    return tmp_path


def test_model_and_training_are_described(tmp_path: Path) -> None:
    directory = write(tmp_path, SYNC + TRAIN)
    document = describe(Project(directory, "run.py:Runner", "run.py:train"))
    assert set(document["paths"]) >= {"/predictions", "/trainings"}
    assert document["info"]["version"] == __version__


def test_training_alone_is_described(tmp_path: Path) -> None:
    document = describe(Project(write(tmp_path, TRAIN), train="run.py:train"))
    assert "/predictions" not in document["paths"]


def test_project_without_either_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"^no run or train reference found"):
        describe(Project(tmp_path))


def test_concurrency_needs_async(tmp_path: Path) -> None:
    project = Project(write(tmp_path, SYNC), "run.py:Runner", concurrency_max=2)
    with pytest.raises(SchemaError, match=r"^cog\.yaml: concurrency\.max: 2 requires an async run"):
        describe(project)
    write(tmp_path, SYNC.replace("def", "async def"))
    assert describe(project)["paths"]
