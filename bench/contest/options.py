"""The command line of a comparison."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contest.contest import Contest
from bench.overhead.machine import choose_cpus
from bench.overhead.options import default_cache_dir


@dataclass(frozen=True)
class Options:
    """For how long to measure, on which CPUs, and where to write it."""

    rounds: int
    seconds: float
    server_cpus: frozenset[int]
    client_cpus: frozenset[int]
    python: str
    cache_dir: Path
    output: Path | None
    docs: bool


def parse_options(contest: Contest, arguments: Sequence[str]) -> Options:
    """Read the command line; the defaults are those of the published numbers."""
    parsed = _make_parser(contest).parse_args(arguments)
    if parsed.quick:
        parsed.rounds, parsed.seconds = int(contest.quick["rounds"]), contest.quick["seconds"]
    server_cpus, client_cpus = choose_cpus()
    return Options(
        rounds=parsed.rounds,
        seconds=parsed.seconds,
        server_cpus=server_cpus,
        client_cpus=client_cpus,
        python=parsed.python,
        cache_dir=parsed.cache_dir.resolve(),
        output=parsed.output and parsed.output.resolve(),
        docs=parsed.docs,
    )


def _make_parser(contest: Contest) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{contest.name}",
        description=f"{contest.question} Linux only.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="one short round: does it work, roughly how fast")
    add("--rounds", type=int, default=contest.rounds, help="how often to measure each server")
    add("--seconds", type=float, default=contest.seconds, help="how long each load lasts")
    add("--python", default=sys.executable, help="of all environments, as for `uv venv --python`")
    add("--cache-dir", type=Path, default=default_cache_dir(), help="environments and logs")
    add("--output", type=Path, help="folder of the results; default: CACHE_DIR/results")
    add("--docs", action="store_true", help="write the results into docs/performance.md")
    return parser
