from __future__ import annotations

import http.server
import json
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import IO, Any, cast

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

MODEL = """
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return "{greeting} " + text
"""


def wait_for_url(stderr: IO[bytes]) -> str:
    for line in stderr:
        found = re.search(rb"Serving at (http://localhost:\d+)", line)
        if found:
            return found[1].decode()
    raise AssertionError("it never said where it serves")


def predict(url: str, text: str) -> dict[str, Any]:
    body = json.dumps({"input": {"text": text}}).encode()
    request = urllib.request.Request(
        f"{url}/predictions", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return cast(dict[str, Any], json.load(response))


def predict_when_ready(url: str, expected: str, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if predict(url, "you")["output"] == expected:
                return
        except urllib.error.HTTPError as error:
            error.close()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_a_signal_and_succeeds(signum: int, make_project: Make) -> None:
    project = make_project(MODEL.replace("{greeting}", "hello"))
    with project.started("serve", "-p", "0") as process:
        url = wait_for_url(process.stderr)
        predict_when_ready(url, "hello you")
        process.send_signal(signum)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out == b""


def test_it_reloads_when_a_file_changes(make_project: Make) -> None:
    project = make_project(MODEL.replace("{greeting}", "hello"))
    with project.started("serve", "-p", "0", "--reload") as process:
        url = wait_for_url(process.stderr)
        predict_when_ready(url, "hello you")
        (project.directory / "run.py").write_text(MODEL.replace("{greeting}", "bye"))
        predict_when_ready(url, "bye you")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize(("variables", "expected"), [({}, 2), ({"COG_WORKERS": "1"}, 1)])
def test_the_project_says_how_many_workers_there_are_unless_the_variable_does(
    make_project: Make, variables: dict[str, str], expected: int
) -> None:
    project = make_project(MODEL.replace("{greeting}", "hello"))
    with (project.directory / "cog.yaml").open("a") as config:
        config.write("workers: 2\n")
    with project.started("serve", "-p", "0", variables=variables) as process:
        url = wait_for_url(process.stderr)
        predict_when_ready(url, "hello you")
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:
            text = response.read().decode()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert len(set(re.findall(r'resident_memory_bytes\{worker="(\d+)"', text))) == expected


FILE_MODEL = """
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self, text: str) -> Path:
        Path("out.txt").write_text(text)
        return Path("out.txt")
"""


class Bucket(http.server.BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_output_files_are_sent_to_the_upload_url(make_project: Make) -> None:
    project = make_project(FILE_MODEL)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as bucket:
        threading.Thread(target=bucket.serve_forever).start()
        target = f"http://127.0.0.1:{bucket.server_port}"
        try:
            with project.started("serve", "-p", "0", "--upload-url", target) as process:
                predict_when_ready(wait_for_url(process.stderr), f"{target}/out.txt")
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=20)
        finally:
            bucket.shutdown()


def test_an_upload_url_that_is_none_is_a_usage_error(make_project: Make) -> None:
    done = make_project(MODEL).cog("serve", "--upload-url", "ftp://bucket")
    assert done.returncode == 2
    assert "expected an http(s) URL" in done.stderr.decode()


def test_a_port_that_is_taken_is_told(make_project: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = make_project(MODEL).cog("serve", "-p", str(port))
    assert done.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{port}" in done.stderr.decode()


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_an_impossible_port_is_a_usage_error(port: str, make_project: Make) -> None:
    assert make_project(MODEL).cog("serve", "-p", port).returncode == 2


def test_a_store_that_cannot_be_used_is_told(make_project: Make) -> None:
    project = make_project(MODEL)
    done = project.cog("serve", "-p", "0", "--store", "sqlite:///nowhere/runs.db")
    assert done.returncode == 1
    assert "error: store" in done.stderr.decode()
    done = project.cog("serve", "-p", "0", "--store", "postgres://x")
    assert "Use memory:, sqlite:///file" in done.stderr.decode()
