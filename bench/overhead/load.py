"""Drive a server with wrk and count what came back."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.overhead.peers import Question

SCRIPT = Path(__file__).with_name("requests.lua")
PACED_SCRIPT = Path(__file__).with_name("paced.lua")
GRACE_S = 30
"""How much longer than asked wrk may take."""


class LoadFailed(Exception):
    """The load generator is missing or broke."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw; the latencies are those of right answers only.

    ``wrong`` counts 2xx responses that are not the answer to an open request.
    """

    successes_per_s: float
    p50_us: float
    p99_us: float
    non_2xx_share: float
    wrong: int
    socket_errors: int


def find_wrk() -> str:
    """Return the path of wrk."""
    found = shutil.which("wrk")
    if found is None:
        raise LoadFailed("wrk was not found. On Debian and Ubuntu: apt-get install wrk")
    return found


def predict(
    base_url: str,
    question: Question,
    *,
    connections: int,
    seconds: float,
    pause_ms: tuple[int, int] | None = None,
) -> Load:
    """Ask ``question`` on each of ``connections`` again and again, with random pauses if asked to."""
    asked: tuple[str, ...] = ("post", question.body, question.answer, question.status)
    script = SCRIPT
    if pause_ms is not None:
        script = PACED_SCRIPT
        asked = (*asked, str(pause_ms[0]), str(pause_ms[1]))
    report = _run_wrk(base_url + question.path, connections, seconds, asked, script)
    latencies = {int(key): count for key, count in report["latencies_us"].items()}
    return summarize(report, percentile(latencies, 50), percentile(latencies, 99))


def get(url: str, *, connections: int, seconds: float) -> Load:
    """Fetch ``url`` on each of ``connections`` again and again."""
    report = _run_wrk(url, connections, seconds, ("get",))
    return summarize(report, report["all_p50_us"], report["all_p99_us"])


def summarize(report: Mapping[str, Any], p50_us: float, p99_us: float) -> Load:
    """Turn what ``requests.lua`` printed into the numbers that are compared."""
    statuses = {int(status): count for status, count in report["statuses"].items()}
    responses = sum(statuses.values())
    refused = sum(count for status, count in statuses.items() if not 200 <= status <= 299)
    return Load(
        successes_per_s=report["succeeded"] / (report["duration_us"] / 1e6),
        p50_us=p50_us,
        p99_us=p99_us,
        non_2xx_share=refused / responses if responses else 0.0,
        wrong=report["wrong"],
        socket_errors=report["socket_errors"],
    )


def percentile(counts: Mapping[int, int], percent: float) -> float:
    """Return the smallest value that ``percent`` of the counted ones do not exceed; NaN for none."""
    wanted = sum(counts.values()) * percent / 100
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return float(value)
    return float("nan")


def _run_wrk(
    url: str,
    connections: int,
    seconds: float,
    arguments: tuple[str, ...],
    script: Path = SCRIPT,
) -> Any:
    # One thread: it does not fall behind any of the servers, and its script needs no merging.
    done = subprocess.run(
        [
            *(find_wrk(), "--threads=1", f"--connections={connections}"),
            *(f"--duration={seconds:g}s", "--timeout=10s", f"--script={script}", url),
            *("--", *arguments),
        ],
        capture_output=True,
        text=True,
        cwd=SCRIPT.parent,  # One script loads the other.
        timeout=seconds + GRACE_S,
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise LoadFailed(f"wrk exited with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
