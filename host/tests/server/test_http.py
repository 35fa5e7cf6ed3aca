"""The HTTP API, as a client sees it: a real server process, a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KEYS = {
    "id",
    "status",
    "input",
    "output",
    "logs",
    "error",
    "metrics",
    "created_at",
    "started_at",
    "completed_at",
}


def test_a_prediction_is_answered_with_the_whole_object(launch_server: Any) -> None:
    server = launch_server("echo")
    response = server.predict(text="you")
    assert response.status_code == 200
    body = response.json()
    assert set(body) == KEYS
    assert (body["status"], body["output"]) == ("succeeded", "hello you")
    assert body["input"] == {"text": "you"}
    assert body["metrics"]["predict_time"] >= 0


def test_the_other_endpoints_answer(launch_server: Any) -> None:
    server = launch_server("echo")
    index = server.client.get("/").json()
    for name, path in index.items():
        if name.endswith("_url") and path != "/shutdown" and "{" not in path:
            assert server.client.get(path).status_code == 200, path
    assert server.client.get("/openapi.json").json()["info"]["title"] == "Cog"
    assert server.client.get("/readyz").json() == {"status": "READY"}
    report = server.health()
    assert report["setup"]["status"] == "succeeded"
    assert report["setup"]["logs"] == "setting up\n"


def test_a_sequential_client_never_finds_the_server_busy(launch_server: Any) -> None:
    server = launch_server("echo")
    statuses = {server.predict(text="x").status_code for _ in range(500)}
    assert statuses == {200}


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("DELETE", "/predictions", 405, "POST, GET, HEAD"),
        ("POST", "/health-check", 405, "GET, HEAD"),
        ("GET", "/shutdown", 405, "POST"),
    ],
)
def test_wrong_paths_and_methods_get_the_envelope(
    launch_server: Any, method: str, path: str, status: int, allow: str | None
) -> None:
    response = launch_server("echo").client.request(method, path)
    assert response.status_code == status
    assert response.headers.get("allow") == allow
    assert response.json()["status"] == "failed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 422),
        ('{"input": 3}', 422),
        ('{"input": {}}', 422),
        ('{"input": {"text": 3}}', 422),
        ('{"input": {"text": null}}', 422),
    ],
)
def test_bad_bodies_are_refused_and_the_server_goes_on(
    launch_server: Any, body: str, status: int
) -> None:
    server = launch_server("echo")
    headers = {"content-type": "application/json"}
    response = server.client.post("/predictions", content=body, headers=headers)
    assert response.status_code == status
    assert set(response.json()) <= {"detail", "error", "status"}
    assert server.predict(text="x").status_code == 200


def test_a_body_over_the_limit_is_refused(launch_server: Any) -> None:
    server = launch_server("echo", COG_MAX_BODY="1000")
    assert server.predict(text="x" * 2000).status_code == 413
    assert server.predict(text="x").status_code == 200


def test_unknown_inputs_are_dropped_with_a_warning(launch_server: Any) -> None:
    server = launch_server("echo")
    assert server.predict(text="x", colour="red").json()["input"] == {"text": "x"}
    assert "unknown inputs ignored: colour" in server.log()


def test_a_full_server_says_so_at_once(launch_server: Any) -> None:
    server = launch_server("sleeps")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(server.predict, seconds=1.0)
        server.wait_for("BUSY")
        response = server.predict(seconds=0)
        assert response.status_code == 409
        assert response.json() == {
            "error": "At capacity - all prediction slots busy",
            "status": "failed",
        }
        assert server.client.get("/readyz").status_code == 200
        assert first.result().json()["status"] == "succeeded"


def test_before_setup_has_finished_predictions_are_refused(launch_server: Any) -> None:
    server = launch_server("setup_hangs", wait=False)
    response = server.predict()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["error"].startswith("Setup has not finished yet.")
    assert server.health()["setup"]["status"] == "starting"
    assert server.client.get("/livez").status_code == 200
    assert server.client.get("/readyz").status_code == 503
    assert server.client.get("/openapi.json").status_code == 503


def test_a_server_that_has_given_up_is_to_be_replaced(launch_server: Any) -> None:
    server = launch_server("misbehaves")
    for _ in range(3):
        server.wait_for("READY")
        assert server.client.get("/livez").status_code == 200
        server.predict(how="os._exit")
    server.wait_for("DEFUNCT")
    answer = server.client.get("/livez")
    assert answer.status_code == 503
    assert answer.json()["status"] == "DEFUNCT"
    assert "exited with code" in answer.json()["error"]


def test_a_setup_timeout_is_reported(launch_server: Any) -> None:
    server = launch_server("setup_hangs", wait=False, COG_SETUP_TIMEOUT="0.5")
    report = server.wait_for("SETUP_FAILED")
    assert "did not finish within 0.5 s" in report["setup"]["error"]


def test_a_failed_setup_keeps_the_server_up_and_shows_in_its_exit_code(launch_server: Any) -> None:
    server = launch_server("setup_raises", wait=False)
    report = server.wait_for("SETUP_FAILED")
    assert report["setup"]["error"] == "weights are corrupt"
    assert report["setup"]["logs"].startswith("loading weights\nTraceback")
    assert "weights are corrupt" in server.client.get("/readyz").json()["error"]
    assert server.predict().status_code == 503
    server.client.post("/shutdown")
    assert server.process.wait(20) == 1


def test_a_killed_worker_fails_the_prediction_within_a_second(launch_server: Any) -> None:
    server = launch_server("sleeps")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(server.predict, seconds=60)
        server.wait_for("BUSY")
        killed_at = time.monotonic()
        os.kill(_worker_of(server), signal.SIGKILL)
        response = waiting.result()
    assert time.monotonic() - killed_at < 1
    assert response.status_code == 200
    assert response.json()["status"] == "failed"
    assert "signal 9" in response.json()["error"]
    server.wait_for("READY")
    assert server.predict(seconds=0).json()["status"] == "succeeded"


def test_a_client_that_leaves_cancels_its_prediction(launch_server: Any) -> None:
    server = launch_server("sleeps")
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"input":{"seconds":60}}'
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /predictions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        server.wait_for("BUSY")
    server.wait_for("READY")
    assert "cleaning up" in server.log()


@pytest.mark.parametrize("stop", ["/shutdown", "SIGTERM", "SIGINT"])
def test_the_server_ends_in_order_with_its_worker(launch_server: Any, stop: str) -> None:
    server = launch_server("echo")
    worker = _worker_of(server)
    if stop.startswith("/"):
        assert server.client.post(stop).json() == {}
    else:
        server.process.send_signal(signal.Signals[stop])
    assert server.process.wait(20) == 0
    assert not Path(f"/proc/{worker}").exists()


def test_a_running_prediction_finishes_before_the_end(launch_server: Any) -> None:
    server = launch_server("sleeps")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(server.predict, seconds=0.5)
        server.wait_for("BUSY")
        server.process.send_signal(signal.SIGTERM)
        assert waiting.result().json()["status"] == "succeeded"
    assert server.process.wait(20) == 0


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [("setup_hangs", "STARTING", 0), ("setup_raises", "SETUP_FAILED", 1)],
)
def test_the_exit_code_tells_whether_the_model_had_failed(
    launch_server: Any, model: str, status: str, code: int
) -> None:
    server = launch_server(model, wait=False)
    server.wait_for(status)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == code


def test_sigterm_is_ignored_where_shutdown_must_be_asked_for(launch_server: Any) -> None:
    server = launch_server("echo", "--await-explicit-shutdown", "true")
    server.process.send_signal(signal.SIGTERM)
    while "SIGTERM ignored" not in server.log():
        assert server.process.poll() is None
    assert server.predict(text="x").status_code == 200
    server.client.post("/shutdown")
    assert server.process.wait(20) == 0


def test_logs_are_json_lines_with_the_prediction(launch_server: Any) -> None:
    server = launch_server("prints")
    prediction = server.predict().json()["id"]
    lines = [line for line in server.log().splitlines() if line.startswith("{")]
    records = [json.loads(line) for line in lines]
    printed = [record for record in records if record["logger"] == "model"]
    assert {record["message"] for record in printed} >= {"from print", "from a child"}
    assert {record["prediction"] for record in printed} == {prediction}


def test_a_taken_port_is_an_error_that_says_so(launch_server: Any) -> None:
    server = launch_server("echo")
    port = server.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "cogworks.server", "--host", "127.0.0.1"],
        env={**os.environ, "PORT": port, "COG_PREDICT_TYPE_STUB": "run.py"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr


def _worker_of(server: Any) -> int:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return int(children.split()[0])


def test_a_token_is_demanded_where_one_is_set_and_kept_from_the_model(launch_server: Any) -> None:
    server = launch_server("environment", wait=False, COG_API_TOKEN="geheim")
    server.wait_for("READY")
    assert server.client.get("/livez").status_code == 200
    refused = server.predict(name="HOME")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    server.client.headers["authorization"] = "Bearer geheim"
    assert server.predict(name="COG_API_TOKEN").json()["output"] == "not set"
    server.client.post("/shutdown")


def test_an_unhealthy_model_is_reported_and_still_serves(launch_server: Any) -> None:
    server = launch_server("healthcheck")
    assert server.predict(how="raise").json()["status"] == "succeeded"
    report = server.health()
    assert report["status"] == "UNHEALTHY"
    assert "the disk is full" in report["user_healthcheck_error"]
    assert server.client.get("/readyz").status_code == 503
    assert server.predict(how="well").json()["status"] == "succeeded"
    assert server.health()["status"] == "READY"


def test_metrics_count_predictions_and_restarts(launch_server: Any) -> None:
    server = launch_server("misbehaves")
    assert server.predict().json()["status"] == "succeeded"
    assert server.predict(how="os._exit").json()["status"] == "failed"
    server.wait_for("READY")
    response = server.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in response.text.splitlines() if not line.startswith("#")]
    totals = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}
    succeeded = [value for name, value in totals.items() if 'status="succeeded"' in name]
    assert "1.0" in succeeded
    assert [v for n, v in totals.items() if "restarts_total" in n] == ["1.0"]


def test_a_trainer_is_served_under_trainings(launch_server: Any) -> None:
    server = launch_server(
        "function", "--x-mode", "train", COG_TRAIN_TYPE_STUB="train.py:train", wait=False
    )
    server.wait_for("READY")
    response = server.client.post("/trainings", json={"input": {"steps": 3}})
    assert response.json()["output"] == "trained 3 steps"
    assert server.client.put("/trainings/t1", json={"input": {"steps": 1}}).status_code == 200
    assert server.client.get("/trainings/t1").json()["id"] == "t1"
    assert server.predict().status_code == 404
    assert server.client.get("/").json()["trainings_url"] == "/trainings"
