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


def test_every_endpoint_is_on_the_page() -> None:
    no_service: Any = None
    for method, path, _ in Routes(no_service, Settings(), lambda: None).table():
        assert f"| `{method} {path}` |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_page_work(launch_server: Any) -> None:
    server = launch_server(str(ROOT / "examples" / "hello-world"))
    commands = re.findall(r"^\$ (curl .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
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
    commands = re.findall(r"^(curl .*@photo.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
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
