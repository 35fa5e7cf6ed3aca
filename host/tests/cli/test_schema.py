from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "cog.schema.json"

MODEL = """
from cog import BaseRunner, Input, Path

class Runner(BaseRunner):
    def run(
        self,
        prompt: str = Input(description="What to write"),
        scale: float = Input(ge=0, le=10, default=1.5),
        image: Path = Input(default=None),
    ) -> list[Path]:
        ...

def train(data: Path, rounds: int = 3) -> Path: ...
"""
COMPUTED = """
print("chatter")
import os, sys
from cog import BaseRunner, Input

class Runner(BaseRunner):
    def setup(self):
        raise RuntimeError("setup ran")
    def __init__(self):
        raise RuntimeError("constructed")
    def run(self, size: str = Input(choices=sorted(os.environ["SIZES"].split()))) -> str: ...
"""


def inputs(stdout: bytes, name: str = "Input") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stdout)
    properties: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return properties


def test_the_document_is_json_with_sorted_keys(make_project: Make) -> None:
    done = make_project(MODEL).cog("schema")
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    assert done.stdout.decode() == json.dumps(document, indent=2, sort_keys=True) + "\n"
    assert set(inputs(done.stdout)) == {"prompt", "scale", "image"}


def test_model_and_training_are_described_or_one_of_them(make_project: Make) -> None:
    project = make_project(MODEL, config='train: "run.py:train"\n')
    both = json.loads(project.cog("schema").stdout)["components"]["schemas"]
    assert {"Input", "TrainingInput"} <= set(both)
    run = json.loads(project.cog("schema", "--mode", "run").stdout)["components"]["schemas"]
    assert "TrainingInput" not in run
    train = json.loads(project.cog("schema", "--mode", "train").stdout)["components"]["schemas"]
    assert "Input" not in train


def test_a_table_in_a_pipe_has_a_row_a_line_and_no_colours(make_project: Make) -> None:
    long = "word " * 100
    project = make_project(MODEL.replace("What to write", long))
    done = project.cog("schema", "--format", "table", COLUMNS="40", FORCE_COLOR="1")
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ["Input", "Type", "Default", "Limits", "Description"]
    assert lines[1].split() == ["prompt", "string", "required", *long.split()]
    assert lines[2].split() == ["scale", "number", "1.5", "0", "to", "10"]
    assert lines[3].split() == ["image", "file", "required"]
    assert lines[4].split() == ["Output", "list", "of", "file"]
    assert b"\x1b" not in done.stdout


def test_a_file_is_written_on_request(make_project: Make) -> None:
    project = make_project(MODEL)
    done = project.cog("schema", "-o", "openapi.json")
    assert (done.stdout, done.stderr) == (b"", b"Written output to: openapi.json\n")
    assert set(inputs((project.directory / "openapi.json").read_bytes())) >= {"prompt"}
    failed = project.cog("schema", "-o", "no/such/folder.json")
    assert failed.returncode == 1
    assert b"error: cannot write no/such/folder.json" in failed.stderr


def test_static_and_live_give_the_same_document(make_project: Make) -> None:
    project = make_project(MODEL, config='train: "run.py:train"\n')
    live = project.cog("schema", "--schema", "live")
    assert live.returncode == 0, live.stderr
    assert live.stdout == project.cog("schema").stdout


def test_what_only_the_live_module_knows_is_read_without_setup(make_project: Make) -> None:
    project = make_project(COMPUTED, config="environment:\n  - SIZES=b a\n")
    assert project.cog("schema").returncode == 1
    done = project.cog("schema", "--schema", "live")
    assert done.returncode == 0, done.stderr
    schemas = json.loads(done.stdout)["components"]["schemas"]
    assert schemas["size"]["enum"] == ["a", "b"]
    assert b"chatter" not in done.stderr


def test_debug_shows_what_the_module_prints(make_project: Make) -> None:
    project = make_project(COMPUTED)
    done = project.cog("schema", "--schema", "live", "-e", "SIZES=a", "--debug")
    assert b"chatter" not in done.stdout
    assert b"chatter\n" in done.stderr


def test_an_error_of_the_import_shows_the_authors_lines(make_project: Make) -> None:
    project = make_project("import json\ndef read():\n    json.loads('{')\nread()\n")
    done = project.cog("schema", "--schema", "live")
    assert done.returncode == 1
    error = done.stderr.decode().partition("error: ")[2]
    assert error.startswith("importing run.py failed:\n")
    assert 'File "run.py", line 4' in error
    assert 'File "run.py", line 3, in read' in error
    assert "json.decoder.JSONDecodeError: Expecting property name" in error
    assert "describe.py" not in error
    assert "decoder.py" not in error


def test_an_interrupt_ends_the_import_and_its_children(make_project: Make) -> None:
    project = make_project("")
    pipe = project.directory / "pipe"
    os.mkfifo(pipe)
    source = (
        f"import subprocess, time\nout = open({str(pipe)!r}, 'wb')\n"
        "subprocess.Popen(['sleep', '600'], stdout=out)\nout.write(b'x')\nout.flush()\ntime.sleep(600)\n"
    )
    (project.directory / "run.py").write_text(source)
    with project.started("schema", "--schema", "live") as process, pipe.open("rb") as reader:
        assert reader.read(1) == b"x"
        process.send_signal(signal.SIGINT)
        assert reader.read() == b""  # The last who could write to it has gone.
        assert process.stdout.read() == b""
        process.stderr.read()
    assert process.returncode == 130


def test_a_run_can_check_its_inputs_by_the_live_document(make_project: Make) -> None:
    model = COMPUTED.replace('raise RuntimeError("constructed")', "pass").replace(
        'raise RuntimeError("setup ran")', "pass"
    )
    project = make_project(model.replace("str: ...", "str: return size"), "environment: [SIZES=a]")
    refused = project.cog("run", "--schema", "live", "-i", "size=z")
    assert b'invalid input "size": must be one of: a' in refused.stderr
    done = project.cog("run", "--schema", "live", "-i", "size=a")
    assert done.stdout == b"a\n", done.stderr


def test_the_schema_of_cog_yaml_is_the_published_one(make_project: Make) -> None:
    project = make_project("this is no Python")
    done = project.cog("schema", "--config")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == PUBLISHED.read_bytes()
    project.cog("schema", "--config", "-o", "cog.schema.json")
    assert (project.directory / "cog.schema.json").read_bytes() == done.stdout


def test_the_schema_of_cog_yaml_is_no_table(make_project: Make) -> None:
    done = make_project(MODEL).cog("schema", "--config", "--format", "table")
    assert done.returncode == 2
    assert b"--config prints JSON" in done.stderr
