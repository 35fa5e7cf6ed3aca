"""What an answer holds: all that there was, nothing of the server's own."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

READS = """
import io
from typing import Optional
from cog import BaseRunner, File, Path
class Runner(BaseRunner):
    def setup(self, weights: Optional[Path] = None):
        print("setting up", weights)
    def run(self, document: Path, note: Optional[str] = "none") -> File:
        print("no newline at the end", end="")
        return io.StringIO(f"{document.read_text()} {note} \u00e9")
"""

KEYS = """
from typing import Dict, List, Optional
from cog import BaseRunner, Secret
class Runner(BaseRunner):
    def run(self, keys: List[Secret], more: Optional[List[Secret]] = None, named: Dict[str, Secret] = {}) -> int:
        every = [*keys, *(more or []), *named.values()]
        print(every)
        return sum(len(key.get_secret_value()) for key in every)
"""


@pytest.fixture
def reader(launch_server: Any, tmp_path: Path) -> Any:
    (tmp_path / "run.py").write_text(READS)
    return launch_server(str(tmp_path), COG_WEIGHTS="weights.txt")


def test_a_failed_prediction_is_answered_with_what_there_was(launch_server: Any) -> None:
    body = launch_server("yields").predict(count=3, fail_at=2).json()
    assert (body["status"], body["error"]) == ("failed", "failed midway")
    assert body["output"] == ["item 0", "item 1"]
    assert "RuntimeError: failed midway" in body["logs"]
    assert body["metrics"]["predict_time"] > 0
    assert body["input"] == {"count": 3, "fail_at": 2}


def test_a_stream_of_text_is_a_file(reader: Any) -> None:
    output = reader.predict(document="data:text/plain,a").json()["output"]
    assert base64.b64decode(output.partition(",")[2]).decode() == "a none é"


def test_inputs_are_shown_as_they_came(reader: Any) -> None:
    inputs = {"document": "data:text/plain,a", "note": None}
    assert reader.predict(**inputs).json()["input"] == inputs


def test_null_is_taken_for_an_optional_input(reader: Any) -> None:
    output = reader.predict(document="data:text/plain,a", note=None).json()["output"]
    assert base64.b64decode(output.partition(",")[2]).decode() == "a None é"


def test_setup_runs_once_also_where_there_are_weights(reader: Any) -> None:
    assert reader.health()["setup"]["logs"] == "setting up weights.txt\n"


def test_a_line_without_its_end_is_in_its_own_prediction(reader: Any) -> None:
    for _ in range(3):
        logs = reader.predict(document="data:text/plain,a").json()["logs"]
        assert logs == "no newline at the end"


def test_a_secret_is_in_no_answer_no_log_and_no_store(launch_server: Any, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    secret = "a-very-secret-word"
    server = launch_server("secrets", LOG_LEVEL="debug", COG_STORE=f"sqlite:///{store}")
    assert server.predict(token=secret).json()["output"] == len(secret)
    refused = server.client.post("/predictions", json={"id": "bad", "input": {"token": [secret]}})
    assert refused.status_code == 422
    shown = [refused.text]
    for path in ("/predictions", "/metrics", "/health-check", "/openapi.json", "/docs"):
        shown.append(server.client.get(path).text)
    server.client.post("/shutdown")
    assert server.process.wait(20) == 0
    files = [file.read_bytes().decode("latin-1") for file in tmp_path.glob("store.sqlite*")]
    assert files
    assert all(secret not in text for text in [*shown, *files, server.log()])


@pytest.mark.parametrize("is_form", [False, True])
def test_secrets_within_lists_are_secrets_to_the_model_and_hidden(
    launch_server: Any, tmp_path: Path, is_form: bool
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "run.py").write_text(KEYS)
    store = tmp_path / "store.sqlite"
    server = launch_server(str(folder), LOG_LEVEL="debug", COG_STORE=f"sqlite:///{store}")
    first, second, third = secrets = ["very-secret-one", "secret-two", "secret-three"]
    if is_form:
        texts = [("keys", first), ("keys", second), ("named", f'{{"a": "{third}"}}')]
        files = [(name, (None, text)) for name, text in texts]
        answer = server.client.post("/predictions", files=files)
    else:
        answer = server.predict(keys=[first], more=[second], named={"a": third})
    body = answer.json()
    assert body["output"] == sum(map(len, secrets))
    assert body["input"]["keys"] == ["**********"] * len(body["input"]["keys"])
    assert body["input"]["named"] == {"a": "**********"}
    found = server.client.get(f"/predictions/{body['id']}")
    assert found.json() == body
    refused = server.predict(keys=[first, [second]])
    assert refused.status_code == 422
    shown = [answer.text, found.text, refused.text, server.client.get("/predictions").text]
    server.client.post("/shutdown")
    assert server.process.wait(20) == 0
    shown += [file.read_bytes().decode("latin-1") for file in tmp_path.glob("store.sqlite*")]
    shown.append(server.log())
    assert all(secret not in text for text in shown for secret in secrets)
