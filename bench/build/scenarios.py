"""What is measured, in the order in which one builder goes through it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.build.builders import Builder, write_dockerfile
from bench.build.site import (
    ONE_MORE,
    REQUIREMENTS,
    RUN,
    Site,
    write_noise,
    write_project,
    write_requirements,
)

EDITS = 5
"""Edits of the code in a row; the median of them counts."""


@dataclass(frozen=True)
class Scenario:
    """One row of the table."""

    key: str
    title: str


COLD = Scenario("cold_s", "scikit-learn set, cold layers, downloads cached")
ADDED = Scenario("added_s", "the same + one small requirement")
EDITED = Scenario("edited_s", "code edit, warm")
UNCHANGED = Scenario("unchanged_s", "nothing changed")
WEIGHTS = Scenario("weights_s", "1 GB of weights added")
SCENARIOS = (COLD, ADDED, EDITED, UNCHANGED, WEIGHTS)

_COUNTER = itertools.count()


def measure(
    builder: Builder, site: Site, project: Path, weights_bytes: int
) -> Iterator[tuple[Scenario, float]]:
    """Yield the seconds that each scenario takes; a code edit several times."""
    write_project(project)
    write_dockerfile(project)
    builder.prepare(site)
    builder.forget_layers()
    yield COLD, _timed(builder, site, project)
    write_requirements(project, (*REQUIREMENTS, ONE_MORE))
    yield ADDED, _timed(builder, site, project)
    for _ in range(EDITS):
        (project / "run.py").write_text(f"{RUN}\n# edit {next(_COUNTER)}\n")
        yield EDITED, _timed(builder, site, project)
    yield UNCHANGED, _timed(builder, site, project)
    if weights_bytes:
        write_noise(project / "weights.bin", weights_bytes)
        yield WEIGHTS, _timed(builder, site, project)


def _timed(builder: Builder, site: Site, project: Path) -> float:
    started = time.perf_counter()
    builder.build_and_push(project, site)
    return time.perf_counter() - started
