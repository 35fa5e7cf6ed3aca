from __future__ import annotations

import json
from pathlib import Path

from cogworks.build.labels import image_labels
from cogworks.project import load_project
from cogworks.project.cuda import CudaSelection

CONFIG = """\
build:
  python_version: "3.11"
  python_requirements: needs.txt
  run:
    - echo hello
  base_image: registry.example/base:1
  user: 1001
  weights: ["**/*.bin"]
  lock: true
environment:
  - A=1
concurrency:
  max: 2
run: run.py:Runner
"""


def write_project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cog.yaml").write_text(CONFIG)
    (folder / "needs.txt").write_text("")
    return folder


def test_labels_tell_what_the_image_is_and_no_path_of_this_machine(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path / "here"))
    labels = image_labels(project, {"openapi": "3.0.2"}, ["a==1", "b==2"], b"bill", {"x": "y"})
    assert str(tmp_path) not in json.dumps(labels)
    assert json.loads(labels["run.cog.openapi_schema"]) == {"openapi": "3.0.2"}
    assert labels["run.cog.pip_freeze"] == "a==1\nb==2"
    assert (labels["run.cog.has_init"], labels["x"]) == ("true", "y")
    assert json.loads(labels["run.cog.config"]) == {
        "build": {
            "python_version": "3.11",
            "python_requirements": "needs.txt",
            "run": ["echo hello"],
            "base_image": "registry.example/base:1",
            "user": "1001",
            "weights": ["**/*.bin"],
            "lock": True,
        },
        "predict": "run.py:Runner",
        "concurrency": {"max": 2},
        "environment": ["A=1"],
    }


def test_the_cuda_that_was_selected_counts_as_if_cog_yaml_said_it(tmp_path: Path) -> None:
    (tmp_path / "cog.yaml").write_text("build:\n  python_version: '3.11'\n  gpu: true\n")
    selection = CudaSelection("12.4", "9", "torch")
    labels = image_labels(load_project(tmp_path), {}, [], b"", cuda=selection)
    assert json.loads(labels["run.cog.config"])["build"] == {
        "python_version": "3.11",
        "gpu": True,
        "cuda": "12.4",
        "cudnn": "9",
    }
