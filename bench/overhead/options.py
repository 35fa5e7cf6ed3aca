"""The command line of the comparison."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.overhead.machine import choose_cpus

QUICK = {"rounds": 1, "seconds": 2.0, "sequential": 500}


@dataclass(frozen=True)
class Options:
    """What to measure, for how long, on which CPUs, and where to write it."""

    rounds: int
    seconds: float
    sequential: int
    only: tuple[str, ...]
    server_cpus: frozenset[int]
    client_cpus: frozenset[int]
    python: str
    cache_dir: Path
    output: Path | None
    docs: bool


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; the defaults are those of the published numbers."""
    parsed = _make_parser().parse_args(arguments)
    if parsed.quick:
        vars(parsed).update(QUICK)
    server_cpus, client_cpus = choose_cpus()
    return Options(
        rounds=parsed.rounds,
        seconds=parsed.seconds,
        sequential=parsed.sequential,
        only=tuple(parsed.only),
        server_cpus=frozenset(parsed.server_cpus or server_cpus),
        client_cpus=frozenset(parsed.client_cpus or client_cpus),
        python=parsed.python,
        cache_dir=parsed.cache_dir.resolve(),
        output=parsed.output and parsed.output.resolve(),
        docs=parsed.docs,
    )


def default_cache_dir() -> Path:
    """Return where environments are kept between runs."""
    if "COG_CACHE_DIR" in os.environ:
        return Path(os.environ["COG_CACHE_DIR"]) / "bench"
    return Path.home() / ".cache" / "cogworks" / "bench"


def _parse_cpus(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in text.split(","))


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.overhead",
        description="Compare what a prediction costs in our server and in its peers. Linux only.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="one short round: does it work, roughly how fast")
    add("--rounds", type=int, default=5, help="how often to measure each server")
    add("--seconds", type=float, default=5.0, help="how long each load lasts")
    add("--sequential", type=int, default=2000, help="requests of the client without wrk")
    add("--only", action="append", default=[], help="only servers whose name begins so; repeatable")
    add(
        "--server-cpus",
        type=_parse_cpus,
        help="such as 0,1; default: all, but the last where there are 4",
    )
    add("--client-cpus", type=_parse_cpus, help="default: all, or the last of 4")
    add("--python", default=sys.executable, help="of all environments, as for `uv venv --python`")
    add("--cache-dir", type=Path, default=default_cache_dir(), help="environments and logs")
    add("--output", type=Path, help="folder of the results; default: CACHE_DIR/results")
    add("--docs", action="store_true", help="write the results into docs/performance.md")
    return parser
