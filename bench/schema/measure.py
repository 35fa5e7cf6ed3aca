"""Take the times: of the analysis, of what Python itself does, and of the command."""

import ast
import importlib.util
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.schema.cases import Case
from cogworks.schema import analyze


@dataclass(frozen=True)
class Times:
    """Medians of CPU time, in seconds."""

    analysis_s: float
    parse_s: float
    import_s: float


def measure_case(case: Case, rounds: int) -> Times:
    """Do all three in turn, ``rounds`` times."""
    text = case.file.read_text(encoding="utf-8")
    ref = f"{case.file.name}:{case.name}"
    samples = [
        (
            _cpu_time_s(lambda: analyze(case.file.parent, ref)),
            _cpu_time_s(lambda: ast.parse(text)),
            _cpu_time_s(lambda: _import(case.file)),
        )
        for _ in range(rounds)
    ]
    return Times(*(statistics.median(column) for column in zip(*samples, strict=True)))


def measure_command(project: Path, rounds: int) -> tuple[float, float]:
    """Return the CPU time of `cog run` that refuses an input, and of an empty Python.

    Not the time on the clock: on a busy machine that says more about the others.
    """
    refusal = [sys.executable, "-m", "cogworks.cli", "run", "-i", "unknown=1"]
    nothing = [sys.executable, "-c", ""]
    samples = [
        (_child_time_s(refusal, project), _child_time_s(nothing, project)) for _ in range(rounds)
    ]
    refusals, starts = zip(*samples, strict=True)
    return statistics.median(refusals), statistics.median(starts)


def _cpu_time_s(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def _child_time_s(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _import(file: Path) -> None:
    """Compile and run a file, as its first import does; what it imports is there already."""
    spec = importlib.util.spec_from_file_location("measured", file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(module))
