from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

TRAIN = """
import tempfile
from cog import BaseModel, Input, Path

def train(data: str, epochs: int = Input(default=1, ge=1)) -> Path:
    path = Path(tempfile.mkdtemp()) / "w.tar"
    path.write_text(data * epochs)
    return path
"""


def test_a_training_writes_its_weights(make_project: Make) -> None:
    project = make_project("", config='train: "train.py:train"\n')
    (project.directory / "train.py").write_text(TRAIN)
    (project.directory / "run.py").write_text(
        "from cog import BaseRunner\nclass Runner(BaseRunner):\n    def run(self) -> str:\n        return ''\n"
    )
    done = project.cog("train", "-i", "data=ab", "-i", "epochs=2")
    assert done.returncode == 0, done.stderr
    assert (project.directory / "weights.tar").read_text() == "abab"
    assert b"cog train is deprecated" in done.stderr


def test_a_project_without_a_training_says_so(make_project: Make) -> None:
    done = make_project("").cog("train")
    assert done.returncode == 1
    assert (
        b'error: cog.yaml has nothing to train. Add a line such as train: "train.py:train".'
        in done.stderr
    )
