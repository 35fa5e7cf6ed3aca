from __future__ import annotations

from pathlib import Path

import pytest

from cog._schema.errors import SignatureError
from cogworks.schema.classes import Classes
from cogworks.schema.errors import SchemaError
from cogworks.schema.targets import Target, Targets

from .project import Project


def find(tmp_path: Path, text: str, name: str = "", mode: str = "run") -> Target:
    project = Project(tmp_path, {"run.py": text})
    return Targets(project.names, Classes(project.names)).find(project.main, name, mode)


@pytest.mark.parametrize(
    ("text", "mode", "line"),
    [
        (
            "class Predictor:\n    def predict(self): ...\nclass Runner:\n    def run(self): ...\n",
            "run",
            4,
        ),
        ("class Predictor:\n    def predict(self): ...\n", "run", 2),
        ("def predict(): ...\n", "run", 1),
        ("class Trainer:\n    def train(self): ...\ndef train(): ...\n", "train", 3),
        ("class Trainer:\n    def train(self): ...\n", "train", 2),
    ],
)
def test_usual_names_are_looked_for_in_order(
    tmp_path: Path, text: str, mode: str, line: int
) -> None:
    assert find(tmp_path, text, mode=mode).function.lineno == line


def test_nothing_of_the_usual_names_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        find(tmp_path, "class Model: ...\n")
    assert str(caught.value) == (
        "run.py: Runner or Predictor not found\n"
        'Name the class in cog.yaml: run: "run.py:YourClass".'
    )


def test_alias_is_followed(tmp_path: Path) -> None:
    text = "class Model:\n    def run(self): ...\nRunner = Model\n"
    assert find(tmp_path, text, "Runner").function.name == "run"


def test_builtin_names_are_no_targets(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"^run\.py: print not found"):
        find(tmp_path, "", "print")


def test_method_that_is_decorated_by_a_call_is_found(tmp_path: Path) -> None:
    text = "class Runner:\n    def run(self): ...\n    run = decorate(run)\n"
    assert find(tmp_path, text).function.lineno == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    run = make()\n", "Runner.run is no plain method"),
        (
            "    if a:\n        def run(self): ...\n    else:\n        def run(self, x): ...\n",
            "Runner.run is defined in several places",
        ),
    ],
)
def test_method_that_is_not_clear_is_refused(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(SchemaError) as caught:
        find(tmp_path, "class Runner:\n" + body)
    assert caught.value.reason == reason


def test_methods_behind_our_base_class_do_not_count(tmp_path: Path) -> None:
    text = """
        from cog import BaseRunner as Base
        class Mixin:
            def predict(self): ...
        class Runner(Base, Mixin):
            def run(self): ...
    """
    assert find(tmp_path, text).function.name == "run"


def test_unknown_base_classes_are_named(tmp_path: Path) -> None:
    with pytest.raises(SignatureError) as caught:
        find(tmp_path, "from library import Base\nclass Runner(Base): ...\n")
    assert "What it inherits from library.Base cannot be seen here." in caught.value.advice
