"""The server is started as upstream's is: the same module, the same flags, the same variables."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cogworks.server import __main__ as server_main
from cogworks.server.settings import Settings

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"
TIMEOUT_S = 30.0

CONFIG = """
run: model.py:Model
workers: 2
environment:
  - WORD=of cog.yaml
  - OTHER=of cog.yaml
"""

MODEL = """
import os

class Model:
    def run(self) -> list[str]:
        return [os.environ["WORD"], os.environ["OTHER"]]
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["predict", "train"])
def test_the_module_of_upstream_takes_its_flags_and_tells_the_port_it_got(
    cache_dir: Path, mode: str
) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("COG_")}
    flags = ["--host", "127.0.0.1", "--threads", "4", "--x-mode", mode]
    flags += ["--await-explicit-shutdown", "False"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cog.server.http", *flags],
        cwd=MODELS / "function",
        env={
            **inherited,
            "PORT": "0",
            "COG_CACHE_DIR": str(cache_dir),
            "COG_PREDICT_TYPE_STUB": "run.py:run",
            "COG_TRAIN_TYPE_STUB": "train.py:train",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "it ended without a word"
            found = re.search(r"server on (http://\S+:(\d+))$", line)
        assert int(found[2]) > 0
        with httpx2.Client(base_url=found[1], timeout=TIMEOUT_S) as client:
            while client.get("/readyz").status_code != 200:
                assert process.poll() is None
            path = "/trainings" if mode == "train" else "/predictions"
            assert client.post(path, json={"input": {}}).json()["status"] == "succeeded"
            other = "/predictions" if mode == "train" else "/trainings"
            assert client.post(other, json={"input": {}}).status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
    finally:
        process.kill()
        process.communicate()


def serve_in(folder: Path, *flags: str, **variables: str) -> str:
    """Start a server that must refuse; return what it says."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("COG_")}
    done = subprocess.run(
        [sys.executable, "-m", "cogworks.server", *flags],
        cwd=folder,
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.slow
def test_a_server_that_is_started_by_hand_finds_its_model_in_cog_yaml(
    launch_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "cog.yaml").write_text(CONFIG)
    (tmp_path / "model.py").write_text(MODEL)
    server = launch_server(str(tmp_path), COG_PREDICT_TYPE_STUB="", WORD="of the caller")
    answer = server.client.post("/predictions", json={"input": {}}).json()
    assert answer["output"] == ["of the caller", "of cog.yaml"]
    while "cogworks_slots 2.0" not in server.client.get("/metrics").text:
        assert server.process.poll() is None  # The second worker is not ready yet.


def test_without_a_model_the_variable_and_the_file_are_named(tmp_path: Path) -> None:
    assert "COG_PREDICT_TYPE_STUB is not set" in serve_in(tmp_path)
    (tmp_path / "cog.yaml").write_text("run: run.py:Runner\n")
    said = serve_in(tmp_path, "--x-mode", "train")
    assert "COG_TRAIN_TYPE_STUB is not set, and cog.yaml has no `train`" in said


def test_every_flag_is_on_the_page_of_operations() -> None:
    page = (MODELS.parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
    for action in server_main._parser()._actions:
        assert any(f"`{name}" in page for name in action.option_strings), action.option_strings


@pytest.mark.parametrize(
    ("words", "truth"),
    [([], False), (["false"], False), (["0"], False), (["true"], True), ([None], True)],
)
def test_a_flag_that_says_false_is_false(words: list[str | None], truth: bool) -> None:
    given = ["--await-explicit-shutdown", *filter(None, words)] if words else []
    assert server_main._parser().parse_args(given).await_explicit_shutdown is truth


def test_another_word_for_it_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        server_main._parser().parse_args(["--await-explicit-shutdown", "maybe"])
    assert ended.value.code == 2
    assert "expected true or false, got maybe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("level", "port", "is_told"),
    [("info", 5000, True), ("warning", 5000, False), ("warning", 0, True)],
)
def test_who_wants_warnings_only_is_told_no_address_that_is_known(
    level: str, port: int, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server_main._announcement(Settings(log_level=level, port=port))("http://localhost:5000")
    assert bool(capsys.readouterr().err) == is_told


@pytest.mark.slow
def test_a_hangup_loads_the_model_anew_and_a_file_may_hold_the_document(
    launch_server: Any, tmp_path: Path
) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(
        '{"openapi": "3.0.2", "info": {"title": "mine", "version": "1"}, "paths": {}}'
    )
    variables = {"COG_OPENAPI_SCHEMA": str(schema)}
    server = launch_server("function", "--reload-on-hangup", ref="run.py:run", **variables)
    assert server.client.get("/openapi.json").json()["info"]["title"] == "mine"
    server.process.send_signal(signal.SIGHUP)
    pause = threading.Event()
    while server.log().count("worker started") < 2:
        pause.wait(0.05)
    server.wait_for("READY")
    assert server.process.poll() is None


def test_a_document_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(server_main.StartError, match="COG_OPENAPI_SCHEMA: there is no file"):
        server_main._read_document(str(tmp_path / "none.json"))
