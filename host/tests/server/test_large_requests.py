"""Large files inside of JSON requests, through a real server: as small ones, but by way of the disk."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

CONTENT = os.urandom(300_000)
URL = f"data:image/png;base64,{base64.b64encode(CONTENT).decode()}"

MODEL = """
import hashlib
from typing import Any, Dict, List, Optional

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def run(
        self,
        file: Optional[Path] = None,
        files: List[Path] = Input(default=[]),
        text: str = "",
    ) -> Dict[str, Any]:
        digests = [hashlib.sha256(item.read_bytes()).hexdigest() for item in files]
        return {
            "sha256": file and hashlib.sha256(file.read_bytes()).hexdigest(),
            "name": file and file.name,
            "all": digests,
            "text": len(text),
        }
"""


@pytest.fixture
def server(launch_server: Callable[..., Any], tmp_path: Path) -> Any:
    (tmp_path / "model").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "model" / "run.py").write_text(MODEL)
    return launch_server(str(tmp_path / "model"), TMPDIR=str(tmp_path / "tmp"))


def test_the_model_gets_the_file_and_the_client_its_own_input_back(server: Any) -> None:
    done = server.predict(file=URL, files=[URL, "data:,x"], text="y").json()
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert done["status"] == "succeeded", done["error"]
    assert done["output"]["sha256"] == digest
    assert done["output"]["name"].endswith("file.png")
    assert done["output"]["all"] == [digest, hashlib.sha256(b"x").hexdigest()]
    assert done["input"] == {"file": URL, "files": [URL, "data:,x"], "text": "y"}


def test_a_text_that_looks_like_a_file_stays_a_text(server: Any) -> None:
    done = server.predict(file=URL, text=URL).json()
    assert done["output"]["text"] == len(URL)
    assert done["output"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("broken", [URL[:-1] + "*", URL[:-3]])
def test_what_is_no_base64_is_the_models_matter(server: Any, broken: str) -> None:
    answer = server.predict(file=broken)
    assert answer.status_code == 200
    assert answer.json()["status"] == "failed"
    assert "base64" in answer.json()["error"]


def test_a_large_body_that_is_wrong_is_refused_as_a_small_one(server: Any) -> None:
    post = server.client.post
    headers = {"content-type": "application/json"}
    wrong = post("/predictions", content=f'{{"input": {{"file": "{URL}"}}', headers=headers)
    assert wrong.status_code == 400
    twice = post("/predictions", json={"input": {"file": [URL]}})
    assert twice.status_code == 422
    assert URL[:100] not in twice.text


def test_one_id_with_the_same_file_is_one_prediction(server: Any) -> None:
    put = server.client.put
    first = put("/predictions/mine", json={"input": {"file": URL}}).json()
    again = put("/predictions/mine", json={"input": {"file": URL}}).json()
    assert again == first
    other = URL[:-8] + "AAAAAAAA"
    assert put("/predictions/mine", json={"input": {"file": other}}).status_code == 409
    ours = server.predict(file=URL).json()
    same = put(f"/predictions/{ours['id']}", json={"input": {"file": URL}})
    assert same.status_code == 200
    assert same.json() == ours


def test_nothing_is_left_on_the_disk(server: Any, tmp_path: Path) -> None:
    server.predict(file=URL)
    server.predict(file=[URL])
    server.client.post("/shutdown")
    server.process.wait(20)
    assert list((tmp_path / "tmp").rglob("*.png")) == []
