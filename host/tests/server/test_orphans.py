"""Nothing outlives a server that was killed: no worker, no child of one, and, later, no folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.temporary_folder import WORKER_PREFIX

pytestmark = pytest.mark.slow

Launch = Callable[..., Any]
MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"
PATIENCE_S = 20.0

BUSY = {
    "idle": "",
    "sleeping": "import time; time.sleep(600)",
    "waiting for a child": "import subprocess; subprocess.run(['sleep', '600'])",
    "a loop of Python": "while True: pass",
    "native code": "import ctypes\nwhile True: ctypes.CDLL(None).pause()",
    "native code with the lock": "import ctypes; ctypes.PyDLL(None).pause()",
    "signals blocked": "import signal, time\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); time.sleep(600)",
}


def children_of(pid: int) -> set[int]:
    """Return the processes below a process, at any depth."""
    children = {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }
    return children.union(*(children_of(child) for child in children))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.01)


def send(server: Any, code: str) -> socket.socket:
    """Begin a prediction and return its connection; its answer never comes."""
    host, port = server.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    body = ('{"input": {"code": "print(1)\\n%s"}}' % code.replace("\n", "\\n")).encode()  # noqa: UP031
    head = "POST /predictions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    server.wait_for("BUSY")
    return client


def folders(parent: Path) -> list[Path]:
    return sorted(parent.glob(f"{WORKER_PREFIX}*"))


@pytest.mark.parametrize("how", BUSY)
def test_a_worker_ends_with_a_server_that_is_killed(
    launch_server: Launch, tmp_path: Path, how: str
) -> None:
    server = launch_server("obeys", TMPDIR=str(tmp_path))
    client = send(server, BUSY[how]) if BUSY[how] else socket.socket()
    with client:
        while len(pids := children_of(server.process.pid)) < 1 + ("child" in how):
            pass
        server.process.kill()
        server.process.wait(PATIENCE_S)
        wait_gone(pids)


def test_a_worker_in_setup_ends_with_its_server(launch_server: Launch) -> None:
    server = launch_server("setup_hangs", wait=False)
    pids = children_of(server.process.pid)
    assert pids
    server.process.kill()
    server.process.wait(PATIENCE_S)
    wait_gone(pids)


def test_the_next_server_removes_the_folders_of_a_killed_one_and_of_no_other(
    launch_server: Launch, tmp_path: Path
) -> None:
    killed = launch_server("obeys", TMPDIR=str(tmp_path), COG_WORKERS="2")
    lives = launch_server("obeys", TMPDIR=str(tmp_path))
    assert len(folders(tmp_path)) == 3
    killed.process.kill()
    killed.process.wait(PATIENCE_S)
    assert len(folders(tmp_path)) == 3
    follower = launch_server("obeys", TMPDIR=str(tmp_path))
    deadline = time.monotonic() + PATIENCE_S
    while len(folders(tmp_path)) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    code = "import tempfile; open(tempfile.mktemp(), 'w').close()"
    for server in (lives, follower):
        assert server.predict(code=code).json()["output"] == "fine"
        server.client.post("/shutdown")
        assert server.process.wait(PATIENCE_S) == 0
    assert folders(tmp_path) == []


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_ends_leaves_no_folder(
    launch_server: Launch, tmp_path: Path, stop: signal.Signals
) -> None:
    server = launch_server("obeys", TMPDIR=str(tmp_path))
    server.predict(code="import os; os._exit(1)")
    server.wait_for("READY")
    os.kill(server.process.pid, stop)
    assert server.process.wait(PATIENCE_S) == 0
    assert folders(tmp_path) == []


def test_a_server_that_cannot_start_leaves_no_worker_and_no_folder(
    cache_dir: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "PORT": "0",
        "COG_CACHE_DIR": str(cache_dir),
        "COG_PREDICT_TYPE_STUB": "run.py:Runner",
        "COG_WORKERS": "2",
        "COG_STORE": f"sqlite:///{tmp_path}/nowhere/x.db",
        "TMPDIR": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "cogworks.server", "--host", "127.0.0.1"],
        cwd=MODELS / "echo",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 1
    assert "nowhere/x.db" in ended.stderr
    assert folders(tmp_path) == []
