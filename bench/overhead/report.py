"""Medians over the rounds, ratios to upstream's current runtime, and a table in Markdown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.overhead.peers import BASELINE


@dataclass(frozen=True)
class Column:
    """A column of the table: which number, how to write it.

    ``scale`` turns the measured unit into the written one; ``has_ratio`` adds how the number
    compares with the baseline's.
    """

    title: str
    key: str
    form: str
    scale: float = 1.0
    has_ratio: bool = False


COLUMNS = (
    Column("p50, 1 client (ms)", "sync_c1_p50_us", "{:.3f}", 1e-3, has_ratio=True),
    Column("p99, 1 client (ms)", "sync_c1_p99_us", "{:.3f}", 1e-3),
    Column("predictions/s, 1 client", "sync_c1_per_s", "{:,.0f}", has_ratio=True),
    Column("not 2xx, 1 client", "sync_c1_non_2xx_share", "{:.1%}"),
    Column("predictions/s, async, 32 clients", "async_c32_per_s", "{:,.0f}", has_ratio=True),
    Column("p99, async, 32 clients (ms)", "async_c32_p99_us", "{:.1f}", 1e-3),
    Column("not 2xx, 32 clients", "async_c32_non_2xx_share", "{:.1%}"),
    Column("health checks/s", "health_c32_per_s", "{:,.0f}", has_ratio=True),
    Column("cold start (s)", "cold_start_s", "{:.2f}", has_ratio=True),
    Column("memory, PSS (MiB)", "pss_mib", "{:.0f}", has_ratio=True),
)


@dataclass
class Row:
    """A server's numbers from each round; or why there are none."""

    name: str
    rounds: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    problem: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    def find_median(self, key: str) -> float:
        """Return the median over the rounds; NaN if nothing was measured."""
        values = [
            numbers[key] for numbers in self.rounds if not math.isnan(numbers.get(key, math.nan))
        ]
        return median(values) if values else math.nan


def render_table(rows: Sequence[Row], columns: Sequence[Column] = COLUMNS) -> str:
    """Return the table, one line for each server; a missing server's line says why."""
    baseline = next((row for row in rows if row.name == BASELINE), None)
    lines = [
        "| | " + " | ".join(column.title for column in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for row in rows:
        if row.rounds:
            cells = [render_cell(row, column, baseline) for column in columns]
        else:
            cells = [f"not measured: {row.problem}".replace("|", "/")] + [""] * (len(columns) - 1)
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def render_cell(row: Row, column: Column, baseline: Row | None) -> str:
    """Write one number, with its ratio to the baseline's where that says something."""
    value = row.find_median(column.key)
    if math.isnan(value):
        return "-"
    text = column.form.format(value * column.scale)
    compared = baseline.find_median(column.key) if baseline else math.nan
    if column.has_ratio and row is not baseline and compared > 0:
        text += f" ({value / compared:.2f}x)"
    return text
