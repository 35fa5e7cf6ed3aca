from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cogworks.repeat.analysis import Analysis
from cogworks.repeat.changed import UNSETTLED, Again, make_again
from cogworks.repeat.shape import Record

from .records import record_of

RUN = """\
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "run.py").write_text(RUN)
    settle(folder)
    return folder


def settle(folder: Path) -> None:
    """Let a project look as if nobody had touched it for a while; the time of its status cannot be set."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1, 1))


def unsettle(path: Path) -> None:
    """Let a file look as if it changed just now, however long the test takes."""
    soon = time.time() + 60
    os.utime(path, (soon, soon))


def again(record: Record, cache: Path) -> Again:
    # No process of its own: tests have threads.
    made = make_again(record, str(cache), {}, Analysis(record["source"]))
    assert made is not None
    return made


def test_layers_and_document_are_those_of_the_code_as_it_is(project: Path, tmp_path: Path) -> None:
    first = again(record_of(project), tmp_path / "cache")
    image = first.record["image"]
    assert "text" in image["document"]
    layers = json.loads(image["manifest"])["layers"]
    assert [one["digest"] for one in layers[1:]] == [str(one.layer.digest) for one in first.layers]
    assert first.new_bytes == sum(one.layer.size_bytes for one in first.layers)
    second = again(first.record, tmp_path / "cache")
    assert second.record["image"] == image
    assert second.new_bytes == 0


def test_what_was_written_just_now_is_read_again_the_next_time(
    project: Path, tmp_path: Path
) -> None:
    unsettle(project / "run.py")
    made = again(record_of(project), tmp_path / "cache")
    assert made.record["source"]["files"]["run.py"][0] == UNSETTLED
    assert list(made.record["top"]) == [str(one.path) for one in made.layers]


def test_the_status_of_what_was_written_just_now_is_not_believed(
    project: Path, tmp_path: Path
) -> None:
    unsettle(project / "run.py")
    record = again(record_of(project), tmp_path / "cache").record
    other = {"digest": "", "hash": "0" * 64}
    status = (project / "run.py").stat()
    known = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    record["source"]["files"]["run.py"] = (known, other["hash"])
    made = make_again(record, str(tmp_path / "cache"), {}, Analysis(record["source"]))
    assert made is not None
    assert made.record["source"]["files"]["run.py"][1] != other["hash"]


def test_the_source_is_read_only_if_a_module_has_changed(project: Path, tmp_path: Path) -> None:
    record = again(record_of(project), tmp_path / "cache").record
    record["image"]["document"] = '{"kept":1}'
    (project / "words.txt").write_text("a")
    assert again(record, tmp_path / "cache").record["image"]["document"] == '{"kept":1}'
    (project / "other.py").write_text("")
    assert "text" in again(record, tmp_path / "cache").record["image"]["document"]


def test_other_weights_or_warnings_are_more_than_code(project: Path, tmp_path: Path) -> None:
    record = record_of(project)
    record["source"]["weight_patterns"] = ["*.bin"]
    analysis = Analysis(record["source"])
    # The pattern matches nothing, which is worth a warning.
    assert make_again(record, str(tmp_path / "cache"), {}, analysis) is None
    (project / "a.bin").write_text("a")
    assert make_again(record, str(tmp_path / "cache"), {}, analysis) is None
    record["source"]["weights"] = ["a.bin"]
    assert make_again(record, str(tmp_path / "cache"), {}, analysis) is not None


PROGRAM = """\
import json, sys
from cogworks.repeat.analysis import Analysis
from cogworks.repeat.changed import make_again
record = json.load(sys.stdin)
with Analysis(record["source"]) as analysis:
    made = make_again(record, sys.argv[1], {}, analysis)
print(made is not None, "cogworks.schema" in sys.modules)
"""
"""In a process without threads, since it forks."""


@pytest.mark.slow
def test_the_analysis_is_loaded_by_the_other_process_alone(project: Path, tmp_path: Path) -> None:
    record = record_of(project)
    record["source"]["files"] = {"run.py": ([], "")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "cache")],
        input=json.dumps(record),
        capture_output=True,
        text=True,
        check=True,
    )
    has_cores = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
    assert done.stdout.split() == ["True", str(not has_cores)]
