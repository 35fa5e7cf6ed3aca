"""A server that has done much holds no more than one that has done little."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROUNDS = 50
RESTARTS = 20

KINDS = [
    "",
    "print('x' * 100_000)",
    "raise ValueError('as asked')",
    "result = 'x' * 1_000_000",
    "result = iter(range(20))",
    "import subprocess; subprocess.run(['true'])",
    "import os, pathlib, tempfile\nfile, path = tempfile.mkstemp(); os.close(file)\n"
    "result = pathlib.Path(path)",
    "import threading; threading.Thread(target=print).start()",
    "self.record_metric('tokens', 1)",
    "import os\nos.fork()",
]


def holdings(pid: int) -> tuple[int, int]:
    """Return how many descriptors and threads a process has."""
    process = Path(f"/proc/{pid}")
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


def worker_of(server: Any) -> int:
    task = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return int(task.read_text().split()[0])


def work(server: Any, rounds: int) -> None:
    for _ in range(rounds):
        for code in KINDS:
            assert server.predict(code=code).status_code == 200


def wait_holdings(pid: int, most: tuple[int, int]) -> None:
    """Wait until a process has let go of what it does not need; that may take it a moment."""
    deadline = time.monotonic() + 20
    while any(now > then for now, then in zip(holdings(pid), most, strict=True)):
        assert time.monotonic() < deadline, (holdings(pid), most)
        time.sleep(0.01)


def test_500_predictions_and_20_restarts_leave_no_descriptor_and_no_thread(
    launch_server: Any, tmp_path: Path
) -> None:
    server = launch_server("obeys", TMPDIR=str(tmp_path))
    for _ in range(2):  # All that is made once is there then.
        work(server, 2)
        server.predict(code="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        server.wait_for("READY")
    server_before, worker_before = holdings(server.process.pid), holdings(worker_of(server))
    work(server, ROUNDS)
    wait_holdings(worker_of(server), worker_before)
    for _ in range(RESTARTS):
        server.predict(code="import os; os._exit(1)")
        server.wait_for("READY")
        assert server.predict(code="").json()["status"] == "succeeded"
    wait_holdings(server.process.pid, server_before)
    wait_holdings(worker_of(server), worker_before)
    assert len(list(tmp_path.glob("cogworks-worker-*"))) == 1
