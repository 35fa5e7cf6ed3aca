"""The live front end gives the same documents under other Pythons, and with either pydantic."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cog
from cogworks.engines.python import Machine

from .authors import SIGNATURES

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "live_documents.py"


def uv(*arguments: str) -> None:
    """Run uv; the test is skipped if what it needs cannot be had here."""
    command = [str(Path(sys.executable).with_name("uv")), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"uv {arguments[0]}: {done.stderr.strip()[-200:]}")


@pytest.mark.parametrize(
    ("python", "pydantic"), [("3.9", "pydantic<2"), ("3.11", "pydantic<2"), ("3.13", "pydantic>=2")]
)
def test_documents_are_the_same(tmp_path: Path, python: str, pydantic: str) -> None:
    interpreter = Machine(None).find(python)
    if interpreter is None:
        pytest.skip(f"there is no Python {python} here")
    environment = tmp_path / "env"
    uv("venv", "--quiet", "--python", str(interpreter.path), str(environment))
    executable = environment / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", str(executable), pydantic, "typing_extensions")
    done = subprocess.run(
        [str(executable), str(SCRIPT), str(Path(cog.__file__).parents[1]), str(SIGNATURES)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if " " in line]
    wrong = [line for line in lines if " different" in line]
    assert "\n".join(wrong) == ""
    assert "pydantic_input same" in lines
    assert "typed_dict_input same" in lines
    assert sum(line.endswith(" same") for line in lines) >= 60
