"""The table of a run: a line for each scenario, and how much longer the others take than we do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.build.builders import OURS
from bench.build.scenarios import SCENARIOS

Times = Mapping[str, Mapping[str, Sequence[float]]]
"""Builder -> scenario -> seconds, one number a round or an edit."""

LINKS = "\n![The same medians as bars](build.svg)\n\n[build.json](build.json) has every number.\n"


def render_table(times: Times) -> str:
    """Return the table in Markdown."""
    names = list(times)
    lines = ["| build and push | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for scenario in SCENARIOS:
        ours = find_median(times, OURS, scenario.key)
        cells = [_cell(find_median(times, name, scenario.key), ours, name) for name in names]
        if any(cell != "-" for cell in cells):
            lines.append(f"| {scenario.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def find_median(times: Times, name: str, key: str) -> float | None:
    """Return the median of what was measured; None if nothing was."""
    values = times.get(name, {}).get(key, ())
    return median(values) if values else None


def render_section(about: Mapping[str, Any], times: Times, problems: Mapping[str, str]) -> str:
    """Return the part of the page that changes with every run."""
    machine = about["machine"]
    told = "".join(f"{name}: {problem}\n\n" for name, problem in problems.items())
    return (
        f"{render_table(times)}\n{told}"
        f"{_rounds(about['rounds'])}, in seconds and as multiples of ours, measured on {about['date']} by "
        f"`{about['command']}` on: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}, Python {machine['python']}; "
        f"{', '.join(about['versions'])}.\n"
    )


def _rounds(count: int) -> str:
    return "One round" if count == 1 else f"Medians of {count} rounds"


def _cell(value: float | None, ours: float | None, name: str) -> str:
    if value is None:
        return "-"
    text = f"{value:.2f} s"
    return text if name.startswith(OURS) or not ours else f"{text} ({value / ours:.1f}x)"
