"""Hold a comparison: install, take turns for some rounds, print the table, write the numbers."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contest.contest import Contest, Entrant
from bench.contest.options import Options, parse_options
from bench.overhead.environments import InstallFailed, ensure_environment, find_uv
from bench.overhead.load import LoadFailed, find_wrk
from bench.overhead.machine import describe_machine
from bench.overhead.peers import BASELINE, OURS, list_peers
from bench.overhead.projects import render_schema, write_schema
from bench.overhead.report import Row, render_table
from bench.overhead.results import describe_row, replace_section
from bench.overhead.server import ServerFailed

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


class WrongAnswer(Exception):
    """A server answered with something else than was asked for; its speed does not matter then."""


def main(contest: Contest, arguments: Sequence[str]) -> int:
    """Measure and write the results; return the exit code."""
    options = parse_options(contest, arguments)
    try:
        find_uv()
        if contest.needs_wrk:
            find_wrk()
        # The clients keep off the servers' CPUs where there are enough.
        os.sched_setaffinity(0, options.client_cpus)
        rows = run(contest, options)
    except (InstallFailed, LoadFailed) as error:
        say(f"error: {error}")
        return 1
    publish(contest, options, describe_run(contest, options, arguments), rows)
    return 0 if all(row.rounds and not row.problem for row in rows) else 1


def run(contest: Contest, options: Options) -> list[Row]:
    """Measure ours and upstream's in turn; each round begins with another one."""
    entrants = install(contest, options)
    rows = {entrant.peer.name: Row(entrant.peer.name) for entrant in entrants}
    for entrant in entrants:
        rows[entrant.peer.name].versions = entrant.environment.versions
    for number in range(options.rounds):
        turn = number % len(entrants)
        for entrant in entrants[turn:] + entrants[:turn]:
            say(f"round {number + 1} of {options.rounds}: {entrant.peer.name}")
            measure_into(rows[entrant.peer.name], contest, entrant, options.seconds)
    return list(rows.values())


def install(contest: Contest, options: Options) -> list[Entrant]:
    """Return both servers, ready to be started on the same project."""
    work = options.cache_dir / "work"
    project = work / "projects" / contest.name
    write_project(contest, project)
    entrants: list[Entrant] = []
    for peer in list_peers(REPOSITORY):
        if peer.name in (OURS, BASELINE):
            say(f"installing {peer.name}")
            environment = ensure_environment(
                options.cache_dir, peer.packages, python=options.python, is_local=peer.is_local
            )
            is_ours = peer.name == OURS
            if is_ours:
                write_schema(project, render_schema(environment.python, project))
            cpus = options.server_cpus
            entrants.append(Entrant(peer, environment, project, work, cpus, is_ours))
    return entrants


def write_project(contest: Contest, directory: Path) -> None:
    """Write the project that both serve."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, text in contest.files.items():
        (directory / name).write_text(text)


def measure_into(row: Row, contest: Contest, entrant: Entrant, seconds: float) -> None:
    """Add a round to a row; a failure ends the server's part and keeps its earlier rounds."""
    if row.problem is not None:
        return
    try:
        numbers = contest.measure(entrant, seconds)
    except (ServerFailed, LoadFailed, WrongAnswer, subprocess.TimeoutExpired, OSError) as error:
        row.problem = " ".join(f"{type(error).__name__}: {error}".split())
        say(f"  {row.problem}")
        return
    row.rounds.append(numbers)
    say("  " + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


def describe_run(contest: Contest, options: Options, arguments: Sequence[str]) -> dict[str, Any]:
    """Return when, where and how was measured."""
    return {
        "command": shlex.join(["python", "-m", f"bench.{contest.name}", *arguments]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": describe_machine(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "server_cpus": sorted(options.server_cpus),
        "client_cpus": sorted(options.client_cpus),
    }


def publish(contest: Contest, options: Options, about: dict[str, Any], rows: Sequence[Row]) -> None:
    """Print the table; write the numbers and, if asked, the part of the page in docs/."""
    section = render_section(contest, about, rows)
    print(section)
    output = DOCS if options.docs else options.output or options.cache_dir / "results"
    output.mkdir(parents=True, exist_ok=True)
    file = output / f"{contest.name}.json"
    document = {**about, "servers": [describe_row(row) for row in rows]}
    file.write_text(json.dumps(document, indent=1) + "\n")
    say(f"written: {file}")
    if options.docs:
        page = DOCS / "performance.md"
        page.write_text(replace_section(page.read_text(), section, begin_of(contest.name)))
        say(f"updated: {page}")


def begin_of(name: str) -> str:
    """Return the mark on the page where the part of a benchmark begins."""
    return f"<!-- begin: written by bench.{name} -->"


def render_section(contest: Contest, about: dict[str, Any], rows: Sequence[Row]) -> str:
    """Return the part of the page that changes with every run."""
    machine = about["machine"]
    problems = "".join(f"{row.name}: {row.problem}\n\n" for row in rows if row.problem)
    return (
        f"{render_table(rows, contest.columns)}\n{problems}"
        f"Medians of {about['rounds']} rounds, measured on {about['date']} by "
        f"`{about['command']}` on: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}, Python {machine['python']}. "
        f"All numbers: [{contest.name}.json]({contest.name}.json).\n"
    )


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(text, file=sys.stderr, flush=True)
