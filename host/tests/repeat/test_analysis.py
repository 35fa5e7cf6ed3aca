from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cogworks.repeat.analysis import Analysis
from cogworks.schema.errors import SchemaError

from .records import record_of

RUN = """\
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""
PROGRAM = """\
import json, os, sys
from cogworks.repeat.analysis import Analysis
with Analysis(json.load(sys.stdin)) as analysis:
    document, _ = analysis.answer()
    has_schema = "cogworks.schema" in sys.modules
with Analysis(json.loads(sys.argv[1])):
    pass
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(json.dumps([document, has_schema]))
"""
"""In a process without threads, since it forks."""


def source_of(folder: Path, text: str) -> str:
    (folder / "run.py").write_text(text)
    source = record_of(folder)["source"]
    source["files"] = {"run.py": ([], "")}
    return json.dumps(source)


def analyse(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, source], input=source, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_changed_source_is_read_beside_us_and_nothing_is_left_running(tmp_path: Path) -> None:
    done = analyse(source_of(tmp_path, RUN))
    document, has_schema = json.loads(done.stdout)
    assert "text" in document
    assert not has_schema or not _has_two_cores()


@pytest.mark.slow
def test_what_is_wrong_with_it_is_told_here(tmp_path: Path) -> None:
    done = analyse(source_of(tmp_path, RUN.replace("text: str", "text")))
    assert "SchemaError" in done.stderr
    assert done.stdout == ""


def test_without_a_process_it_is_read_when_it_is_wanted(tmp_path: Path) -> None:
    document, modules = Analysis(json.loads(source_of(tmp_path, RUN))).answer()
    assert modules == {str(tmp_path.resolve() / "run.py"): "run.py"}
    assert "text" in document
    with pytest.raises(SchemaError):
        Analysis(json.loads(source_of(tmp_path, "x = 1\n"))).answer()


def _has_two_cores() -> bool:
    import os

    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
