"""``docs/http-api.md`` names every endpoint, and its commands work as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.metrics import Levels, Metrics
from cogworks.server.routes import Routes
from cogworks.server.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "http-api.md"
SERVER = ROOT / "host" / "src" / "cogworks" / "server"


def test_every_endpoint_is_on_the_page() -> None:
    no_service: Any = None
    for method, path, _ in Routes(no_service, Settings(), lambda: None).table():
        assert f"| `{method} {path}` |" in PAGE.read_text(encoding="utf-8")


JSON_COMMAND = re.compile(r"^\$ (curl .*)$", re.MULTILINE)
FILE_COMMAND = re.compile(r"^(curl .*@photo.*)$", re.MULTILINE)


def test_every_command_of_the_page_is_one_of_those_that_are_run() -> None:
    page = PAGE.read_text(encoding="utf-8")
    run = JSON_COMMAND.findall(page) + FILE_COMMAND.findall(page)
    assert len(run) == len(re.findall(r"\bcurl ", page))


def test_every_status_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sources = (path.read_text("utf-8") for path in SERVER.rglob("*.py"))
    answered = {
        status
        for source in sources
        for status in re.findall(r"(?:_refuse|error_response|BadRequestError)\((\d{3})", source)
    }
    assert {"400", "403", "413", "431", "507"} <= answered
    shown = set(re.findall(r"\d{3}", " ".join(re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE))))
    assert answered - shown - {"500"} == set()


@pytest.mark.slow
def test_every_header_of_an_answer_is_on_the_page(launch_server: Any) -> None:
    server = launch_server("yields_async", COG_API_TOKEN="t", COG_MAX_CONCURRENCY="4")
    client = server.client
    token = {"Authorization": "Bearer t"}
    later = {**token, "Prefer": "respond-async"}
    answers = [
        client.get("/docs"),
        client.get("/docs", headers=token),
        client.get("/metrics", headers=token),
        client.put("/livez", headers=token),
        client.post("/predictions", json={"input": {}}, headers=later),
        client.get("/predictions?cursor=none", headers=token),
    ]
    events = {**token, "Accept": "text/event-stream"}
    with client.stream("POST", "/predictions", json={"input": {}}, headers=events) as stream:
        answers.append(stream)
    sent = {name for answer in answers for name in answer.headers}
    page = PAGE.read_text(encoding="utf-8").lower()
    assert {"allow", "www-authenticate", "x-accel-buffering"} <= sent
    assert [name for name in sorted(sent) if f"`{name}" not in page] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_page_work(launch_server: Any) -> None:
    server = launch_server(str(ROOT / "examples" / "hello-world"))
    commands = JSON_COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert len(commands) >= 4
    for command in commands:
        command = command.replace("localhost:8393", server.url.removeprefix("http://"))
        result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        answer = json.loads(result.stdout)
        assert "error" not in answer or answer["error"] is None
    assert server.process.wait(20) == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_that_send_files_work(launch_server: Any, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    server = launch_server("uploads")
    commands = FILE_COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert len(commands) == 2
    for command in commands:
        command = command.replace("localhost:8393", server.url.removeprefix("http://"))
        result = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        answer = json.loads(result.stdout)
        assert answer["status"] == "succeeded", answer
        assert answer["output"]["rest"][0] == 2.5


def test_every_metric_is_on_the_page_of_operations() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = Metrics().render(Levels(queue_depth=0, slots=0, slots_busy=0)).decode()
    families = re.findall(r"^# TYPE (cogworks_\w+)", shown, re.MULTILINE)
    assert len(families) > 8
    assert [name for name in families if name not in text] == []
