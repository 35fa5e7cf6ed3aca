"""A store in a file keeps predictions over the end of the server, orderly or not."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_finished_predictions_are_still_known_by_the_next_server(
    launch_server: Any, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    first = launch_server("echo", "--store", store)
    answer = first.client.put("/predictions/mine", json={"input": {"text": "x"}}).json()
    first.client.post("/shutdown")
    first.process.wait(20)
    second = launch_server("echo", "--store", store)
    assert second.client.get("/predictions/mine").json() == answer
    again = second.client.put("/predictions/mine", json={"input": {"text": "x"}})
    assert again.json() == answer


def test_what_a_killed_server_was_working_on_has_failed_and_says_why(
    launch_server: Any, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    first = launch_server("sleeps", "--store", store)
    body = {"id": "lost", "input": {"seconds": 60}}
    first.client.post("/predictions", json=body, headers={"Prefer": "respond-async"})
    first.wait_for("BUSY")
    first.client.put("/predictions/done", json={"input": {"seconds": 0}})
    # The record of the accepted prediction is written by a thread; the list shows what is there.
    first.client.get("/predictions").json()
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait(20)
    second = launch_server("sleeps", "--store", store)
    lost = second.client.get("/predictions/lost").json()
    assert lost["status"] == "failed"
    assert "the server ended" in lost["error"]


def test_a_store_that_cannot_be_used_is_an_error_that_says_so(
    launch_server: Any, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="store"):
        launch_server("echo", "--store", f"sqlite:///{tmp_path}/nowhere/runs.db")
