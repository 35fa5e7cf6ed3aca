from __future__ import annotations

from pathlib import Path

import pytest

from cog._schema.types import OptionalType, Scalar
from cogworks.schema import SchemaError, analyze


def run(tmp_path: Path, text: str, ref: str = "run.py:Runner") -> object:
    (tmp_path / "run.py").write_text(text)
    return analyze(tmp_path, ref)


def test_author_code_is_never_run(tmp_path: Path) -> None:
    text = """
import pathlib
pathlib.Path(__file__).with_name("ran").touch()

class Runner:
    def run(self, text: str = open(__file__).read() if False else "x") -> str: ...
"""
    run(tmp_path, text)
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_file_may_be_in_a_folder_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "model.py").write_text(
        "from limits import MAX\ndef run(n: int = MAX) -> str: ...\n"
    )
    (tmp_path / "src" / "limits.py").write_text("MAX = 7\n")
    signature = analyze(tmp_path, "src/model.py:run")
    assert signature.inputs[0].default == 7


def test_newer_syntax_of_types_is_understood(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("def run(text: 'str | None' = None) -> str: ...\n")
    assert analyze(tmp_path, "run.py:run").inputs[0].type == OptionalType(Scalar("str"))


def test_error_in_another_module_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("import os\nSIZES = os.listdir()\n")
    text = "import config\nfrom cog import Input\ndef run(n: str = Input(choices=config.SIZES)) -> str: ...\n"
    with pytest.raises(SchemaError) as caught:
        run(tmp_path, text, "run.py:run")
    assert caught.value.line == 3
    assert caught.value.reason.endswith("is only known when the code runs (config.py:2)")
