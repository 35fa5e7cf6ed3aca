"""Draw the medians as bars. Runs in an environment with matplotlib: ``plot.py RESULTS IMAGE``."""

import json
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

PANELS = (
    ("p50 of a prediction, 1 client (ms)\nless is better", "sync_c1_p50_us", 1e-3, "{:.2f}"),
    ("predictions/s, async, 32 clients\nmore is better", "async_c32_per_s", 1.0, "{:,.0f}"),
    ("process start to ready (s)\nless is better", "cold_start_s", 1.0, "{:.2f}"),
    ("memory, PSS (MiB)\nless is better", "pss_mib", 1.0, "{:.0f}"),
)


def main(results: Path, image: Path) -> None:
    """Read the results and write the image, an SVG."""
    # By name, because only this script's own environment has it.
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("agg")
    # Neither the date nor random ids: the same numbers give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "overhead"
    matplotlib.rcParams["svg.fonttype"] = "none"
    pyplot: Any = import_module("matplotlib.pyplot")

    rows = [row for row in json.loads(results.read_text())["servers"] if row["rounds"]]
    figure, axes = pyplot.subplots(
        1, len(PANELS), figsize=(14, 2.8), sharey=True, layout="constrained"
    )
    for axis, panel in zip(axes, PANELS, strict=True):
        draw(axis, rows, *panel)
    axes[0].invert_yaxis()
    figure.savefig(image, format="svg", metadata={"Creator": None, "Date": None})


def draw(axis: Any, rows: list[Any], title: str, key: str, scale: float, form: str) -> None:
    """Draw one bar for each server, ours in another colour."""
    names = [row["name"] for row in rows]
    values = [find_median(row["rounds"], key) * scale for row in rows]
    colours = ["#d9480f" if name == "cogworks" else "#adb5bd" for name in names]
    bars = axis.barh(names, values, color=colours)
    axis.bar_label(bars, [form.format(value) for value in values], padding=3)
    axis.margins(x=0.25)
    axis.set_title(title, fontsize=10)
    axis.tick_params(left=False, bottom=False, labelbottom=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def find_median(rounds: list[dict[str, float | None]], key: str) -> float:
    """Return the median over the rounds, 0 if nothing was measured (a bar needs a length)."""
    values = [value for value in (numbers[key] for numbers in rounds) if value is not None]
    return median(values) if values else 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
