"""Draw what a server held over time. Runs in an environment with matplotlib: ``plot.py RESULTS IMAGE``."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PANELS = (
    ("memory of the server, PSS (MiB)", "pss_bytes", 2**-20),
    ("open descriptors", "descriptors", 1.0),
    ("threads", "threads", 1.0),
    ("folders of workers", "temp_folders", 1.0),
)
COLOURS = ("#d9480f", "#1971c2")


def main(results: Path, image: Path) -> None:
    """Read the results and write the image, an SVG."""
    # By name, because only this script's own environment has it.
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("agg")
    # Neither the date nor random ids: the same numbers give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "soak"
    matplotlib.rcParams["svg.fonttype"] = "none"
    pyplot: Any = import_module("matplotlib.pyplot")

    servers = json.loads(results.read_text())["servers"]
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(14, 2.8), layout="constrained")
    for axis, panel in zip(axes, PANELS, strict=True):
        draw(axis, servers, *panel)
    axes[0].legend(frameon=False, loc="lower right")
    figure.savefig(image, format="svg", metadata={"Creator": None, "Date": None})


def draw(axis: Any, servers: list[Any], title: str, key: str, scale: float) -> None:
    """Draw a line for each server, with a dot for each of its rests."""
    for server, colour in zip(servers, COLOURS, strict=False):
        samples = server["samples"]
        rests = [sample for sample in samples if sample["is_rest"]]
        axis.plot(*coordinates(samples, key, scale), color=colour, alpha=0.5, label=server["name"])
        axis.plot(*coordinates(rests, key, scale), "o", color=colour)
    axis.set_ylim(bottom=0)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("s")
    axis.spines[["top", "right"]].set_visible(False)


def coordinates(samples: list[Any], key: str, scale: float) -> tuple[list[float], list[float]]:
    """Return the times and the values."""
    return [s["at_s"] for s in samples], [s[key] * scale for s in samples]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
