"""Both front ends read every fixture and every example, and the documents are equal.

The first line of a fixture names its class or function, and ``(train)`` if it is a training. A
directory below ``projects`` is a project of several modules, whose ``run.py`` is the fixture.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from cog._schema.openapi import document
from cog._schema.signature import read_signature
from cog._schema.types import Signature
from cogworks.schema import analyze

from .authors import ROOT, SIGNATURES, import_file

FILES = sorted(SIGNATURES.glob("*.py"))
NEWER = sorted(SIGNATURES.glob("newer/*.py"))
PROJECTS = sorted(SIGNATURES.glob("projects/*/run.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*/cog.yaml"))

_HEADER = re.compile(r"# (\w+)( \(train\))?: ")
_REFERENCE = re.compile(r"^(run|predict|train): *[\"']?([^\"'\s#]+)", re.MULTILINE)


def read_both(file: Path, name: str, mode: str) -> tuple[Signature, Signature]:
    """Return the signature from source text and the one of the live object."""
    static = analyze(file.parent, f"{file.name}:{name}", mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live = read_signature(getattr(import_file(file), name), mode)
    return static, live


def document_of(signature: Signature) -> dict[str, Any]:
    """Return the document of one signature."""
    if signature.mode == "train":
        return document(None, signature, "0")
    return document(signature, None, "0")


def check_equal(file: Path, name: str, mode: str) -> None:
    """Both documents, and what is not in them, are the same."""
    static, live = read_both(file, name, mode)
    assert document_of(static) == document_of(live)
    assert static == live


def _require_pydantic(file: Path) -> None:
    if "pydantic" not in file.read_text(encoding="utf-8"):
        return
    reason = "the fixture is about pydantic's own classes"
    pydantic = pytest.importorskip("pydantic", reason=reason)
    if "two" in file.stem and pydantic.VERSION.startswith("1."):
        pytest.skip("the fixture is about pydantic 2")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_fixture_reads_the_same_from_source_and_live(file: Path) -> None:
    _require_pydantic(file)
    header = _HEADER.match(file.read_text(encoding="utf-8"))
    assert header is not None, f"{file.name} does not say what to read"
    check_equal(file, header[1], "train" if header[2] else "run")


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: str(file.parent.name))
def test_project_reads_the_same_from_source_and_live(file: Path) -> None:
    check_equal(file, "Runner", "run")


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda config: str(config.parent.name))
def test_example_reads_the_same_from_source_and_live(config: Path) -> None:
    references = _REFERENCE.findall(config.read_text(encoding="utf-8"))
    assert references
    for key, reference in references:
        path, _, name = reference.partition(":")
        check_equal(config.parent / path, name, "train" if key == "train" else "run")


def test_there_are_enough_fixtures() -> None:
    assert len(FILES) >= 35


PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
RUNNERS = [
    code for code in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "class Runner(" in code
]


@pytest.mark.parametrize("number", range(len(RUNNERS)))
def test_example_of_the_documentation_reads_the_same_from_source_and_live(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"documented_{number}.py"
    file.write_text(RUNNERS[number], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    check_equal(file, "Runner", "run")


LIVE = """
import json, sys
sys.path[:0] = [{sdk!r}, {folder!r}]
from cog._schema.openapi import document
from cog._schema.signature import read_signature
module = __import__({module!r})
print(json.dumps(document(read_signature(getattr(module, {name!r})), None, "0")))
"""


def _find_python(minor: int) -> str | None:
    """Return a Python 3 that is new enough: this one, or another of this machine."""
    if sys.version_info >= (3, minor):
        return sys.executable
    found = [shutil.which(f"python3.{number}") for number in range(14, minor - 1, -1)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for number in range(14, minor - 1, -1):
        found += [str(path) for path in pyenv.glob(f"versions/3.{number}.*/bin/python")]
    return next((path for path in found if path is not None and _starts(path)), None)


def _starts(python: str) -> bool:
    """Tell whether it is a Python, not a launcher that stands for none."""
    ended = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    return ended.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("file", NEWER, ids=lambda file: str(file.stem))
def test_syntax_of_a_newer_python_reads_the_same_from_source_and_live(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    minor = 13 if "Python 3.13" in text.splitlines()[0] else 12
    python = _find_python(minor)
    if python is None:
        pytest.skip(f"there is no Python 3.{minor} or newer")
    header = _HEADER.match(text)
    assert header is not None
    values = {"sdk": str(ROOT / "sdk" / "src"), "folder": str(file.parent)}
    code = LIVE.format(**values, module=file.stem, name=header[1])
    command = [python, "-B", "-S", "-c", code]
    live = subprocess.run(command, capture_output=True, text=True, check=True)
    static = analyze(file.parent, f"{file.name}:{header[1]}")
    assert document_of(static) == json.loads(live.stdout)
