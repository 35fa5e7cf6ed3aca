"""``python -m cog.server.http`` becomes the server, or says that there is none."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_MODEL = {name: value for name, value in os.environ.items() if not name.startswith("COG_")}


def run() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cog.server.http"],
        env=WITHOUT_MODEL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(importlib.util.find_spec("cogworks") is not None, reason="the server is here")
def test_without_a_server_it_says_what_to_install() -> None:
    result = run()
    assert result.returncode == 1
    assert "pip install cogworks" in result.stderr


@pytest.mark.skipif(importlib.util.find_spec("cogworks") is None, reason="needs the server")
def test_with_a_server_it_is_the_server_that_answers() -> None:
    result = run()
    assert result.returncode == 1
    assert "COG_PREDICT_TYPE_STUB is not set" in result.stderr


def test_in_an_image_the_servers_own_python_is_started_apart_from_the_model(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    program = (
        "import sys; from cog.server import http; "
        f"http.IMAGE_PYTHON, http.IMAGE_SDK = {str(python)!r}, {str(tmp_path)!r}; http.main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, "--host", "127.0.0.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.splitlines() == [
        *("-I", "-m", "cogworks.server", "--sdk-tree", str(tmp_path)),
        *("--python", sys.executable, "--host", "127.0.0.1"),
    ]
