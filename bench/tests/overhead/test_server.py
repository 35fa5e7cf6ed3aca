"""Tests of starting and ending servers."""

import os
import sys
from pathlib import Path

import pytest

from bench.overhead.processes import find_tree, is_alive
from bench.overhead.server import Launch, Server, ServerFailed, find_free_port

CHILD_THAT_IGNORES_SIGTERM = """\
import http.server, signal, subprocess, sys
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"READY")

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def make_launch(directory: Path, code: str) -> Launch:
    port = find_free_port()
    return Launch(
        command=[sys.executable, "-c", code, str(port)],
        directory=directory,
        variables={},
        cpus=frozenset(os.sched_getaffinity(0)),
        log=directory / "server.log",
        port=port,
        health_path="/",
        ready_text="READY",
    )


@pytest.mark.slow
def test_no_process_is_left_behind(tmp_path: Path) -> None:
    # Another test of this process may have left one that lives as long as it, such as a helper of a library.
    before = set(find_tree(os.getpid()))
    with Server(make_launch(tmp_path, CHILD_THAT_IGNORES_SIGTERM)) as server:
        tree = [process for process in find_tree(os.getpid()) if process not in before]
        pss_bytes, rss_bytes = server.measure_memory_bytes()

    assert len(tree) == 2
    assert not any(is_alive(process) for process in tree)
    assert 0 < pss_bytes <= rss_bytes
    assert server.cold_start_s > 0


@pytest.mark.slow
def test_server_that_exits_says_its_last_words(tmp_path: Path) -> None:
    launch = make_launch(tmp_path, "raise SystemExit('no model here')")

    with pytest.raises(ServerFailed, match="exited with 1: no model here"), Server(launch):
        pass
