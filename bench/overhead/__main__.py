"""Compare our server with its peers: ``python -m bench.overhead``.

Installs each server into an environment of its own, measures them in turn for several rounds and
prints a table of medians. Needs Linux, wrk, uv and the package registries.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.overhead.environments import Environment, InstallFailed, ensure_environment, find_uv
from bench.overhead.load import LoadFailed, find_wrk
from bench.overhead.machine import describe_machine
from bench.overhead.measure import Plan, measure
from bench.overhead.options import Options, parse_options
from bench.overhead.peers import OURS, Peer, list_peers
from bench.overhead.projects import render_schema, write_projects, write_schema
from bench.overhead.report import Row
from bench.overhead.results import (
    LINKS,
    draw_plot,
    render_section,
    replace_section,
    write_results,
)
from bench.overhead.server import ServerFailed

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


def main(arguments: Sequence[str]) -> int:
    """Measure and write the results; return the exit code."""
    options = parse_options(arguments)
    try:
        find_wrk()
        find_uv()
        # wrk, the client and this program keep off the servers' CPUs.
        os.sched_setaffinity(0, options.client_cpus)
        rows = run(options)
        publish(options, describe_run(options, arguments), rows)
    except (InstallFailed, LoadFailed) as error:
        say(f"error: {error}")
        return 1
    return 0 if all(row.rounds for row in rows) else 1


def run(options: Options) -> list[Row]:
    """Install and measure every server; one that fails has a row that says why."""
    peers = [
        peer
        for peer in list_peers(REPOSITORY)
        if not options.only or peer.name.startswith(options.only)
    ]
    rows = {peer.name: Row(peer.name) for peer in peers}
    environments = install_all(peers, rows, options)
    work = options.cache_dir / "work"
    write_projects(work / "projects")
    if OURS in environments:
        write_schemas(environments[OURS], work / "projects")
    plan = Plan(options.seconds, options.sequential, options.server_cpus, work)
    for number in range(options.rounds):
        # Each round begins with another server, so that none always has the coolest machine.
        turn = number % len(peers)
        for peer in peers[turn:] + peers[:turn]:
            if peer.name in environments and rows[peer.name].problem is None:
                say(f"round {number + 1} of {options.rounds}: {peer.name}")
                measure_into(rows[peer.name], peer, environments[peer.name], plan)
    return list(rows.values())


def install_all(
    peers: Sequence[Peer], rows: dict[str, Row], options: Options
) -> dict[str, Environment]:
    """Return the environments by server; note in its row why one has none."""
    environments: dict[str, Environment] = {}
    for peer in peers:
        say(f"installing {peer.name}")
        try:
            environment = ensure_environment(
                options.cache_dir, peer.packages, python=options.python, is_local=peer.is_local
            )
        except InstallFailed as error:
            rows[peer.name].problem = f"cannot be installed: {error}"
            say(f"  {rows[peer.name].problem}")
        else:
            environments[peer.name] = environment
            rows[peer.name].versions = environment.versions
    return environments


def measure_into(row: Row, peer: Peer, environment: Environment, plan: Plan) -> None:
    """Add a round to a row; a failure ends the server's part and keeps its earlier rounds."""
    try:
        numbers = measure(peer, environment, plan)
    except (ServerFailed, LoadFailed, subprocess.TimeoutExpired, OSError) as error:
        row.problem = f"{type(error).__name__}: {error}"
        say(f"  {row.problem}")
        return
    row.rounds.append(numbers)
    say(
        f"  p50 {numbers['sync_c1_p50_us'] / 1e3:.3f} ms, "
        f"async {numbers['async_c32_per_s']:,.0f}/s, "
        f"cold start {numbers['cold_start_s']:.2f} s, {numbers['pss_mib']:.0f} MiB"
    )


def write_schemas(environment: Environment, projects: Path) -> None:
    """Render the OpenAPI document of the cog projects, as a build would put it into the image.

    Without it upstream's servers would not validate inputs, and be compared for less work.
    """
    for mode in ("sync", "async"):
        project = projects / f"cog-{mode}"
        write_schema(project, render_schema(environment.python, project))


def describe_run(options: Options, arguments: Sequence[str]) -> dict[str, Any]:
    """Return when, where and how was measured."""
    return {
        "command": shlex.join(["python", "-m", "bench.overhead", *arguments]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": describe_machine(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "server_cpus": sorted(options.server_cpus),
        "client_cpus": sorted(options.client_cpus),
    }


def publish(options: Options, about: dict[str, Any], rows: Sequence[Row]) -> None:
    """Print the table; write the numbers, the plot and, if asked, the page in docs/."""
    section = render_section(about, rows)
    print(section)
    output = DOCS if options.docs else options.output or options.cache_dir / "results"
    write_results(output, about, rows)
    try:
        draw_plot(
            options.cache_dir,
            output / "overhead.json",
            output / "overhead.svg",
            python=options.python,
        )
    except (InstallFailed, subprocess.SubprocessError) as error:
        say(f"the plot cannot be drawn: {error}")
    say(f"written: {output}/overhead.json and overhead.svg")
    if options.docs:
        page = DOCS / "performance.md"
        page.write_text(replace_section(page.read_text(), section + LINKS))
        say(f"updated: {page}")


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
