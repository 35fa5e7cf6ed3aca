"""The server is started as upstream's is: the same module, the same flags, the same variables."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from cogworks.server import __main__ as server_main

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"
TIMEOUT_S = 30.0


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
