from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).resolve().parents[2] / "src"
START = "import sys; sys.path[0] = sys.argv.pop(1); from cog._worker.main import main; main()"


def describe(project: Path, source: str, **refs: str) -> dict[str, Any]:
    (project / "run.py").write_text(source)
    answer = project / "answer.json"
    descriptor = os.open(answer, os.O_RDWR | os.O_CREAT)
    request = {"refs": refs, "version": "7", "fd": descriptor, "limits": {"RLIMIT_NOFILE": 64}}
    done = subprocess.run(
        [sys.executable, "-c", START, str(SDK), "--describe", json.dumps(request)],
        cwd=project,
        pass_fds=[descriptor],
        check=False,
        stdin=subprocess.DEVNULL,
    )
    os.close(descriptor)
    assert done.returncode == 0
    result: dict[str, Any] = json.loads(answer.read_text())
    return result


@pytest.mark.slow
def test_model_and_training_are_described(tmp_path: Path) -> None:
    source = "async def run(a: str) -> str: ...\ndef train(b: int) -> str: ...\n"
    answer = describe(tmp_path, source, run="run.py:run", train="run.py:train")
    assert answer["is_async"] is True
    assert answer["document"]["info"]["version"] == "7"
    schemas = answer["document"]["components"]["schemas"]
    assert "a" in schemas["Input"]["properties"]
    assert "b" in schemas["TrainingInput"]["properties"]


@pytest.mark.slow
def test_limits_hold_before_the_module_is_imported(tmp_path: Path) -> None:
    source = "import resource\nassert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == 64\n"
    assert "document" in describe(tmp_path, source + "def run() -> str: ...\n", run="run.py:run")


@pytest.mark.slow
def test_an_error_has_the_frames_of_the_author(tmp_path: Path) -> None:
    (tmp_path / "labels.py").write_text("import json\njson.loads('')\n")
    error = describe(tmp_path, "import labels\n", run="run.py:run")["error"]
    assert error["kind"] == "raised"
    assert error["message"].startswith("json.decoder.JSONDecodeError")
    files = [line for line in error["traceback"].splitlines() if "File " in line]
    assert [line.split(",")[0].strip() for line in files] == ['File "run.py"', 'File "labels.py"']


@pytest.mark.slow
def test_a_signature_that_cannot_be_read_comes_with_advice(tmp_path: Path) -> None:
    error = describe(tmp_path, "def run(a) -> str: ...\n", run="run.py:run")["error"]
    assert (error["kind"], error["traceback"]) == ("signature", "")
    assert error["advice"]
