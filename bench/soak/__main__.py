"""A mixed load with kills of the worker, every prediction accounted for: ``python -m bench.soak``.

Clients wait, poll, follow, cancel, come twice and hang up, in rounds; between the rounds each
server must come to rest and hold no more than before. The exit code is 1 if anything was lost.
Needs Linux; the plot needs uv and a package registry.
"""

import argparse
import asyncio
import json
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.contest.run import begin_of
from bench.overhead.environments import InstallFailed, ensure_environment
from bench.overhead.machine import describe_machine
from bench.overhead.options import default_cache_dir
from bench.overhead.results import PLOT_PACKAGES, PLOT_TIMEOUT_S, replace_section
from bench.soak.samples import Sample, find_growth
from bench.soak.servers import MODEL_TABLE, Soak

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOT_SCRIPT = Path(__file__).with_name("plot.py")
ROUND_S = 15.0
MIN_ROUNDS = 3
QUICK_MINUTES = 0.3
MAX_SAMPLES = 300
"""Samples of one server that are kept, beside those at rest."""
SLACK_S = 300.0
"""How much longer than asked for the whole may take, whatever hangs."""


def main(arguments: Sequence[str]) -> int:
    """Load the servers and write the results; return the exit code."""
    options = _make_parser().parse_args(arguments)
    if options.quick:
        options.minutes = QUICK_MINUTES
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="cog-soak-") as directory, ExitStack() as stack:
        started = time.monotonic()
        models = [model for model in MODEL_TABLE if options.only in (None, model.name)]
        soaks = [stack.enter_context(Soak(m, Path(directory), started)) for m in models]
        asyncio.run(run(soaks, options.minutes * 60))
        stack.close()
        for soak in soaks:
            soak.check_log()
        results: dict[str, Any] = {
            "command": shlex.join(["python", "-m", "bench.soak", *arguments]),
            "seed": options.seed,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": describe_machine(),
            "minutes": options.minutes,
            "servers": [describe(soak) for soak in soaks],
        }
    output = DOCS if options.docs else options.output or options.cache_dir / "results"
    publish(results, output, options.cache_dir)
    if options.docs:
        page = DOCS / "performance.md"
        page.write_text(
            replace_section(page.read_text(), render_section(results), begin_of("soak"))
        )
    return 1 if any(server["problem_count"] for server in results["servers"]) else 0


async def run(soaks: Sequence[Soak], seconds: float) -> None:
    """Load all servers at once, in rounds with rests between."""
    rounds = max(MIN_ROUNDS, round(seconds / ROUND_S))
    async with asyncio.timeout(seconds + SLACK_S):
        for number in range(rounds):
            await asyncio.gather(*(soak.load(seconds / rounds) for soak in soaks))
            await asyncio.gather(*(soak.rest() for soak in soaks))
            ends = sum(len(soak.ledger.ends) for soak in soaks)
            problems = sum(soak.ledger.problem_count for soak in soaks)
            say(f"round {number + 1} of {rounds}: {ends} predictions, {problems} problems")
    for soak in soaks:
        for problem in find_growth(soak.samples):
            soak.ledger.report(problem)


def describe(soak: Soak) -> dict[str, Any]:
    """Return one server's part of the results."""
    ledger = soak.ledger
    return {
        "name": soak.model.name,
        "kills": soak.kills,
        "asked": dict(sorted(ledger.asked.items())),
        "refusals": {str(status): n for status, n in sorted(ledger.refusals.items())},
        "ends": dict(sorted(Counter(ledger.ends.values()).items())),
        "problem_count": ledger.problem_count,
        "problems": ledger.problems,
        "samples": [sample.as_data() for sample in thin(soak.samples)],
    }


def thin(samples: Sequence[Sample]) -> list[Sample]:
    """Return all rests, and of the other samples as many as a plot can show."""
    step = -(-len(samples) // MAX_SAMPLES) or 1
    return [sample for at, sample in enumerate(samples) if sample.is_rest or at % step == 0]


def publish(results: dict[str, Any], output: Path, cache: Path) -> None:
    """Print what happened; write the numbers and the plot."""
    output.mkdir(parents=True, exist_ok=True)
    file, image = output / "soak.json", output / "soak.svg"
    file.write_text(json.dumps(results, indent=1) + "\n")
    for server in results["servers"]:
        rests = [sample for sample in server["samples"] if sample["is_rest"]]
        print(f"{server['name']}: {server['ends']}, refused {server['refusals']}, ", end="")
        print(f"{server['kills']} kills, {server['problem_count']} problems")
        print(f"  PSS at rest (MiB): {[round(s['pss_bytes'] / 2**20, 1) for s in rests]}")
        for key in ("descriptors", "threads", "temp_folders", "temp_files"):
            print(f"  {key} at rest: {[s[key] for s in rests]}")
        for line in server["problems"]:
            print(f"  {line[:400]}")
    try:
        environment = ensure_environment(cache, PLOT_PACKAGES, python=sys.executable)
        subprocess.run(
            [environment.python, PLOT_SCRIPT, file, image],
            check=True,
            timeout=PLOT_TIMEOUT_S,
            env={"MPLCONFIGDIR": str(cache / "matplotlib")},
        )
    except (InstallFailed, subprocess.SubprocessError) as error:
        say(f"the plot cannot be drawn: {error}")
    say(f"written: {file} and {image.name}")


def render_section(results: dict[str, Any]) -> str:
    """Return the part of docs/performance.md that changes with every run."""
    machine = results["machine"]
    lines = [
        "| model | predictions | succeeded | failed | canceled | refused | kills | problems | "
        "memory at rest, first to last (MiB) | descriptors at rest, first to last |",
        "| --- |" + " ---: |" * 9,
    ]
    for server in results["servers"]:
        rests = [sample for sample in server["samples"] if sample["is_rest"]] or [{}]
        ends = [server["ends"].get(status, 0) for status in ("succeeded", "failed", "canceled")]
        memory = [f"{rest.get('pss_bytes', 0) / 2**20:.1f}" for rest in (rests[0], rests[-1])]
        descriptors = [str(rest.get("descriptors", 0)) for rest in (rests[0], rests[-1])]
        cells = [
            server["name"],
            *(f"{number:,}" for number in (sum(ends), *ends, sum(server["refusals"].values()))),
            *(str(server["kills"]), str(server["problem_count"])),
            *(" to ".join(memory), " to ".join(descriptors)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return (
        "\n".join(lines)
        + f"\n\n{results['minutes']:g} minutes on {results['date']} by `{results['command']}` on: "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux "
        f"{machine['kernel']}, Python {machine['python']}.\n\n"
        "![What the servers held over the time](soak.svg)\n\n"
        "All samples: [soak.json](soak.json).\n"
    )


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(text, file=sys.stderr, flush=True)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description="A mixed load with kills of the worker, every prediction accounted for.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a few seconds: does it work")
    add("--docs", action="store_true", help="write the results into docs/performance.md")
    add("--minutes", type=float, default=10.0, help="how long the load lasts")
    add("--only", choices=[model.name for model in MODEL_TABLE], help="one of the models")
    add("--seed", type=int, default=None, help="of the choices that clients make")
    add("--cache-dir", type=Path, default=default_cache_dir(), help="the environment of the plot")
    add("--output", type=Path, help="folder of the results; default: CACHE_DIR/results")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
