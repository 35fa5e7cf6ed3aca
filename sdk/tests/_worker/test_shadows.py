"""Files of a project with the names of standard modules, and what a worker loads late because of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from cog._bridge.messages import Healthcheck, HealthcheckResult

Start = Callable[..., Any]

NAMES = ("email", "http", "logging", "queue", "selectors", "socket", "ssl", "stringprep")
"""Standard modules that asyncio and urllib load, and of which a project may have its own."""

TELLS_MODULES = """
import sys
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, names: list[str]) -> list[str]:
        return [name for name in names if name in sys.modules]
"""

DOWNLOADS = """
from cog import BaseRunner, Path

class Runner(BaseRunner):
    {async_}def healthcheck(self):
        return True

    {async_}def run(self, file: Path) -> str:
        return file.read_text()
"""


def write_model(folder: Path, source: str, *, with_names: bool) -> Path:
    folder.mkdir()
    (folder / "run.py").write_text(source)
    for name in NAMES if with_names else ():
        (folder / f"{name}.py").write_text("raise ImportError('the module of the project')\n")
    return folder


@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 does not know its standard modules")
def test_a_synchronous_model_is_ready_without_what_only_others_need(
    ready: Start, tmp_path: Path
) -> None:
    worker = ready(write_model(tmp_path / "model", TELLS_MODULES, with_names=False))
    late = ["asyncio", "ssl", "logging", "urllib.request", "http.client", "cog.public_address"]
    assert worker.result(names=[*late, "json"]).output == ["json"]


def test_files_named_like_standard_modules_do_not_break_downloads_and_healthchecks(
    ready: Start, tmp_path: Path
) -> None:
    for async_ in ("", "async "):
        source = DOWNLOADS.format(async_=async_)
        folder = write_model(tmp_path / f"model-{async_.strip()}", source, with_names=True)
        worker = ready(folder)
        worker.control.send(Healthcheck(5.0))
        assert worker.next_control() == HealthcheckResult(None)
        # No port to connect to: what comes before is enough to load all of it.
        done = worker.result(file="http://127.0.0.1:0/")
        assert done.status == "failed"
        assert "127.0.0.1" in done.error, worker.printed()
        assert "the module of the project" not in worker.printed()


def test_files_beside_a_model_in_a_folder_of_its_own_do_not_either(
    ready: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    write_model(folder / "src", DOWNLOADS.format(async_=""), with_names=True)
    worker = ready(folder, {"ref": "src/run.py:Runner"})
    done = worker.result(file="http://127.0.0.1:0/")
    assert "127.0.0.1" in done.error, done.error
