"""Draw the medians as bars. Runs in an environment with matplotlib: ``plot.py RESULTS IMAGE``."""

import json
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any


def main(results: Path, image: Path) -> None:
    """Read the results and write the image, an SVG."""
    # By name, because only this script's own environment has it.
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("agg")
    # Neither the date nor random ids: the same numbers give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "build"
    matplotlib.rcParams["svg.fonttype"] = "none"
    pyplot: Any = import_module("matplotlib.pyplot")

    document = json.loads(results.read_text())
    titles = {key: title for key, title in document["scenarios"].items() if has(document, key)}
    # As wide for each as the titles need.
    size = (2.8 * len(titles), 2.6)
    figure, axes = pyplot.subplots(1, len(titles), figsize=size, sharey=True, layout="constrained")
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        draw(axis, document["times"], key, title)
    axes[0].invert_yaxis()
    figure.savefig(image, format="svg", metadata={"Creator": None, "Date": None})


def has(document: Any, key: str) -> bool:
    """Tell whether a scenario was measured."""
    return any(times.get(key) for times in document["times"].values())


def draw(axis: Any, times: Any, key: str, title: str) -> None:
    """Draw one bar for each builder, ours in another colour."""
    names = list(times)
    values = [median(times[name].get(key) or [0.0]) for name in names]
    colours = ["#d9480f" if name.startswith("cogworks") else "#adb5bd" for name in names]
    bars = axis.barh(names, values, color=colours)
    axis.bar_label(bars, [f"{value:.2f} s" for value in values], padding=3)
    axis.margins(x=0.35)
    axis.set_title(title.replace(", ", ",\n"), fontsize=9)
    axis.tick_params(left=False, bottom=False, labelbottom=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
