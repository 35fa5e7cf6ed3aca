"""`cog run`, `exec` and `serve` of a project with a container engine: its files are mounted, its packages are in an image."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx2
import pytest

from .conftest import COMMANDS, Desk, cog

pytestmark = [pytest.mark.slow, pytest.mark.network]

WRITER = """
import os
from cog import BaseRunner, Input

class Runner(BaseRunner):
    def run(self, name: str = Input(default="out.txt")) -> str:
        with open(name, "w") as file:
            file.write("written")
        return f"{os.getuid()} {os.getcwd()} {os.environ['COLOUR']} {os.environ.get('MINE')}"
"""
CONFIG = """
build:
  python_version: "3.11"
environment:
  - COLOUR=green
run: run.py:Runner
"""


@pytest.fixture
def project(desk: Desk) -> Path:
    """Return a project whose model writes into its folder; the folder has a difficult name."""
    folder = desk.root / 'a, "b"'
    folder.mkdir()
    (folder / "cog.yaml").write_text(CONFIG)
    (folder / "run.py").write_text(WRITER)
    return folder


def engine_command(variables: Mapping[str, str], *arguments: str) -> str:
    command = [variables["COG_ENGINE"], *arguments]
    done = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=True)
    return done.stdout


def containers(variables: Mapping[str, str]) -> list[str]:
    return engine_command(variables, "ps", "--all", "--format", "{{.Names}}").split()


def wait_until_empty(variables: Mapping[str, str]) -> None:
    pause, deadline = threading.Event(), time.monotonic() + 30
    while containers(variables):
        assert time.monotonic() < deadline, "a container is left"
        pause.wait(0.1)


def test_a_run_sees_the_files_and_an_edit_makes_no_new_image(
    project: Path, variables: Mapping[str, str]
) -> None:
    first = cog(project, variables, "run", "-e", "MINE=yes")
    assert first.stdout == f"{os.getuid()} /src green yes\n", first.stderr
    assert (project / "out.txt").read_text() == "written"
    assert (project / "out.txt").stat().st_uid == os.getuid()
    source = project / "run.py"
    source.write_text(source.read_text().replace("'MINE')}", "'MINE')} edited"))
    second = cog(project, variables, "run")
    assert second.stdout == f"{os.getuid()} /src green None edited\n"
    assert second.stderr == "Starting the container and running setup()...\nRunning prediction...\n"
    assert containers(variables) == []


def test_a_wrong_input_needs_no_engine(desk: Desk, variables: Mapping[str, str]) -> None:
    directory = desk.copy("hello-world")
    nobody = {**variables, "DOCKER_HOST": "unix:///nowhere", "CONTAINERS_CONF": "/nowhere"}
    done = cog(directory, nobody, "run", "-i", "txt=x")
    assert (done.returncode, done.stderr) == (
        1,
        'error: unknown input "txt"; valid inputs are: text\n',
    )


def test_a_command_has_its_streams_and_its_exit_code(
    project: Path, variables: Mapping[str, str]
) -> None:
    code = (
        "import sys, os, cog; print(sys.stdin.read(), os.environ['MINE']); "
        "print('aside', file=sys.stderr); sys.exit(7)"
    )
    arguments = ("exec", "-e", "MINE=x", "python", "-c", code)
    done = cog(project, variables, *arguments, stdin="in")
    assert (done.returncode, done.stdout) == (7, "in x\n"), done.stderr
    assert done.stderr.endswith("aside\n")
    assert cog(project, variables, "exec", "no-such-command").returncode == 127
    assert cog(project, variables, "exec", "/etc/passwd").returncode == 126
    assert cog(project, variables, "exec", "sh", "-c", "kill -9 $$").returncode == 137
    assert containers(variables) == []


def test_a_command_has_the_terminal(project: Path, variables: Mapping[str, str]) -> None:
    cog(project, variables, "exec", "true")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(COMMANDS / "cog"), "exec", "python", "-q"],
        cwd=project,
        env={**variables, "TERM": "xterm"},
        preexec_fn=lambda: os.login_tty(theirs),
    )
    os.close(theirs)
    read_terminal(ours, b">>> ")
    os.write(ours, b"import os; print(6 * 7, os.environ['TERM'], os.isatty(0))\n")
    read_terminal(ours, b"42 xterm True")
    os.write(ours, b"raise SystemExit(5)\n")
    assert process.wait(60) == 5
    os.close(ours)
    assert containers(variables) == []


def read_terminal(terminal: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 1024)


LISTENER = (
    "import http.server as h; print('here', flush=True); "
    "h.test(h.SimpleHTTPRequestHandler, port={port})"
)


def test_a_port_is_published_and_whatever_ends_the_command_ends_the_container(
    project: Path, variables: Mapping[str, str]
) -> None:
    port = free_port()
    code = LISTENER.format(port=port)
    with started(project, variables, "exec", "-p", str(port), "python", "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        wait_for_answer(f"http://127.0.0.1:{port}/cog.yaml")
        process.kill()
    wait_until_empty(variables)
    with started(project, variables, "exec", "python", "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.terminate()
        assert process.wait(30) == 143
    wait_until_empty(variables)


def test_a_project_that_uses_a_gpu_runs_without_one(
    project: Path, variables: Mapping[str, str]
) -> None:
    config = project / "cog.yaml"
    config.write_text(config.read_text().replace("build:", "build:\n  gpu: true"))
    base = ("--use-cuda-base-image=false",)
    done = cog(project, variables, "exec", *base, "true")
    assert done.returncode == 0, done.stderr
    assert "warning: no GPU can be used in containers on this machine" in done.stderr
    asked = cog(project, variables, "exec", *base, "--gpus", "all", "true")
    assert asked.returncode in (125, 126)


def test_a_server_answers_reloads_and_ends(project: Path, variables: Mapping[str, str]) -> None:
    port = free_port()
    with started(project, variables, "serve", "-p", str(port), "--reload") as process:
        assert process.stderr is not None
        read_until(process.stderr, f"Serving at http://localhost:{port}\n".encode())
        url = f"http://127.0.0.1:{port}"
        wait_for_answer(f"{url}/readyz")
        assert predict(url).endswith("green None")
        assert httpx2.get(f"{url}/openapi.json").json()["components"]["schemas"]["Input"]
        source = project / "run.py"
        source.write_text(source.read_text().replace("'MINE')}", "'MINE')} edited"))
        read_until(process.stderr, b"changed: run.py; restarting the model\n")
        read_until(process.stderr, b"worker started")
        wait_for_answer(f"{url}/readyz")
        assert predict(url).endswith("edited")
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(60) == 0
    assert containers(variables) == []


def test_a_servers_own_settings_and_a_failed_setup_count(
    project: Path, variables: Mapping[str, str]
) -> None:
    source = project / "run.py"
    setup = "    def setup(self):\n        raise ValueError('no weights')\n\n    def run"
    source.write_text(source.read_text().replace("    def run", setup))
    port = free_port()
    settings = {**variables, "COG_API_TOKEN": "t"}
    with started(project, settings, "serve", "-p", str(port)) as process:
        assert process.stderr is not None
        read_until(process.stderr, b"Serving at")
        url = f"http://127.0.0.1:{port}"
        assert httpx2.get(f"{url}/openapi.json").status_code == 401
        pause = threading.Event()
        while httpx2.get(f"{url}/health-check").json()["status"] == "STARTING":
            pause.wait(0.1)
        process.terminate()
        process.stderr.read()
        assert process.wait(60) == 1
    assert containers(variables) == []


def test_a_port_that_is_taken_is_told_before_anything_is_built(
    project: Path, variables: Mapping[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cog(project, variables, "serve", "-p", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}: ")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def started(
    folder: Path, variables: Mapping[str, str], *arguments: str
) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [str(COMMANDS / "cog"), *arguments],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        alarm = threading.Timer(120, process.kill)
        alarm.start()
        try:
            yield process
        finally:
            alarm.cancel()
            process.kill()


def read_until(stream: IO[bytes], text: bytes) -> None:
    seen = b""
    for line in stream:
        seen += line
        if text in line:
            return
    raise AssertionError(f"{text!r} is not in {seen!r}")


def wait_for_answer(url: str) -> None:
    pause, deadline = threading.Event(), time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx2.get(url, timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        pause.wait(0.1)
    raise AssertionError(f"{url} does not answer")


def predict(url: str) -> str:
    answer = httpx2.post(f"{url}/predictions", json={"input": {}}, timeout=60).json()
    assert answer["status"] == "succeeded", json.dumps(answer)
    return str(answer["output"])
