"""Authors' code passes a strict type checker."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cog

AUTHORS = Path(__file__).parent / "typing" / "authors.py"
ROOT = Path(__file__).parents[2]


def test_the_authors_code_uses_every_public_name() -> None:
    used = {
        node.id for node in ast.walk(ast.parse(AUTHORS.read_text())) if isinstance(node, ast.Name)
    }
    assert set(cog.__all__) - used == set()


def test_the_authors_code_runs() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(cog.__file__).parents[1])}
    subprocess.run([sys.executable, str(AUTHORS)], check=True, env=environment)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="needs pyright")
def test_the_authors_code_passes_pyright_strict() -> None:
    command = [sys.executable, "-m", "pyright", "--project", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*command, str(AUTHORS)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
