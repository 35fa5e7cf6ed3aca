"""The ready file: there while predictions may come, gone otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cogworks.server.ready_file import ReadyFile, make_ready_file
from cogworks.server.settings import Settings


def test_the_file_and_its_folder_are_made_and_the_file_removed(tmp_path: Path) -> None:
    path = tmp_path / "cog" / "ready"
    file = ReadyFile(path)
    file.update(is_ready=True)
    file.update(is_ready=True)
    assert path.exists()
    file.update(is_ready=False)
    file.update(is_ready=False)
    assert not path.exists()


def test_a_file_that_an_earlier_server_left_is_removed_before_the_model_is_ready(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ready"
    path.touch()
    make_ready_file(Settings(kubernetes_host="10.0.0.1", ready_file=str(path)))
    assert not path.exists()


def test_outside_of_kubernetes_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    make_ready_file(Settings(ready_file=str(path))).update(is_ready=True)
    assert not path.exists()


def test_a_place_that_cannot_be_written_is_only_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cog").write_text("a file, no folder")
    ReadyFile(tmp_path / "cog" / "ready").update(is_ready=True)
    assert "the ready file cannot be kept" in caplog.text


@pytest.mark.slow
def test_a_server_keeps_the_file_while_it_is_ready(launch_server: Any, tmp_path: Path) -> None:
    path = tmp_path / "ready"
    variables = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "COG_READY_FILE": str(path)}
    server = launch_server("misbehaves", **variables)
    assert path.exists()
    for _ in range(3):
        server.wait_for("READY")
        assert path.exists()
        server.predict(how="os._exit")
    server.wait_for("DEFUNCT")
    assert not path.exists()
    server.client.post("/shutdown")
    server.process.wait(20)
    second = launch_server("echo", **variables)
    assert path.exists()
    second.client.post("/shutdown")
    assert second.process.wait(20) == 0
    assert not path.exists()
