"""The results of a run as files: every number as JSON, the plot, and the part of docs/performance.md."""

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.overhead.environments import ensure_environment
from bench.overhead.report import Row, render_table

PLOT_PACKAGES = ("matplotlib==3.11.2",)
PLOT_SCRIPT = Path(__file__).with_name("plot.py")
PLOT_TIMEOUT_S = 300
LINKS = """
![The same medians as bars](overhead.svg)

[overhead.json](overhead.json) has the numbers of every round, with those of refusals and wrong
answers, and the version of every package that took part.
"""
"""What the page says below the table, about the files beside it."""
BEGIN, END = "<!-- begin: written by bench.overhead -->", "<!-- end -->"


def write_results(directory: Path, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write ``overhead.json`` into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    document = {**about, "servers": [describe_row(row) for row in rows]}
    (directory / "overhead.json").write_text(json.dumps(document, indent=1) + "\n")


def describe_row(row: Row) -> dict[str, Any]:
    """Return a row as JSON data; a number that could not be measured is null."""
    rounds = [
        {key: None if math.isnan(value) else round(value, 4) for key, value in numbers.items()}
        for numbers in row.rounds
    ]
    return {
        "name": row.name,
        "problem": row.problem,
        "rounds": rounds,
        "versions": dict(row.versions),
    }


def render_section(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the part of the page that changes with every run."""
    machine = about["machine"]
    return (
        f"{render_table(rows)}\n{render_breaks(rows)}"
        f"Medians of {about['rounds']} rounds of {about['seconds']:g} s, measured on "
        f"{about['date']} by `{about['command']}` on: {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, "
        f"Python {machine['python']}. Servers ran on CPUs {about['server_cpus']}, "
        f"clients on {about['client_cpus']}.\n"
    )


def render_breaks(rows: Sequence[Row]) -> str:
    """Say which servers broke after some rounds: their medians are of fewer."""
    broken = [row for row in rows if row.rounds and row.problem]
    return "".join(
        f"{row.name} broke after {len(row.rounds)} rounds: {row.problem}\n\n" for row in broken
    )


def draw_plot(cache: Path, results: Path, image: Path, *, python: str) -> None:
    """Draw ``results`` as ``image``, in an environment of its own."""
    environment = ensure_environment(cache, PLOT_PACKAGES, python=python)
    subprocess.run(
        [environment.python, PLOT_SCRIPT, results, image],
        check=True,
        timeout=PLOT_TIMEOUT_S,
        env={"MPLCONFIGDIR": str(cache / "matplotlib")},
    )


def replace_section(page: str, section: str, begin: str = BEGIN) -> str:
    """Put ``section`` between the marks of a page; ``begin`` tells whose part it is."""
    before, found, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise ValueError(f"the page has no {begin} ... {END}")
    return f"{before}{begin}\n{section}{END}{after}"
