"""What a server holds, sampled; and whether it holds more and more."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.overhead.processes import PROC, Process, measure_pss_bytes, measure_rss_bytes

MEMORY_GROWTH_BYTES = 24 * 2**20
"""How much a server's memory may grow after its first rest: the store fills, the heap frays."""

COUNT_GROWTH = 3
"""How many descriptors or threads more there may be; pools of threads fill slowly."""

FILE_GROWTH = 25
"""How many files more there may be: a cancel may come after a model has made one, before it gives it
away. Such files go with the worker. A server that forgot to remove them would leave thousands."""


@dataclass(frozen=True)
class Sample:
    """A server's own process (its workers come and go) at a moment; ``is_rest`` if it had nothing to do."""

    at_s: float
    is_rest: bool
    pss_bytes: int
    rss_bytes: int
    descriptors: int
    threads: int
    temp_folders: int
    temp_files: int

    def as_data(self) -> dict[str, Any]:
        """Return JSON data."""
        return asdict(self)


def take_sample(server: Process, temp_dir: Path, started: float, *, is_rest: bool) -> Sample:
    """Look at a server; ``started`` is when the run began, by the monotonic clock."""
    folder = PROC / str(server.pid)
    folders, files = count_entries(temp_dir)
    return Sample(
        at_s=round(time.monotonic() - started, 3),
        is_rest=is_rest,
        pss_bytes=measure_pss_bytes([server]),
        rss_bytes=measure_rss_bytes([server]),
        descriptors=len(os.listdir(folder / "fd")),
        threads=len(os.listdir(folder / "task")),
        temp_folders=folders,
        temp_files=files,
    )


def count_entries(folder: Path) -> tuple[int, int]:
    """Return how many folders and files there are, at any depth."""
    # What is removed while it is walked is passed over.
    found = [(len(folders), len(files)) for _, folders, files in os.walk(folder)]
    return sum(folders for folders, _ in found), sum(files for _, files in found)


def find_growth(samples: Sequence[Sample]) -> list[str]:
    """Return what has grown from the first rest to the last ones; the rests between are not looked at.

    The first rest comes after a round of load: what is made once is there by then.
    """
    rests = [sample for sample in samples if sample.is_rest]
    if len(rests) < 2:
        return ["there were not two rests to compare"]
    first, last = rests[0], rests[1:][-2:]
    limits = {
        "pss_bytes": MEMORY_GROWTH_BYTES,
        "descriptors": COUNT_GROWTH,
        "threads": COUNT_GROWTH,
        "temp_folders": 0,
        "temp_files": FILE_GROWTH,
    }
    problems: list[str] = []
    for name, limit in limits.items():
        before = getattr(first, name)
        after = median(getattr(sample, name) for sample in last)
        if after - before > limit:
            problems.append(f"{name} grew from {before} to {after:g} between rests")
    return problems
