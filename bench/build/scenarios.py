"""What is measured, in the order in which one builder goes through it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.build.builders import Builder, write_dockerfile
from bench.build.site import (
    ONE_MORE,
    RUN,
    SCIKIT_LEARN,
    TORCH,
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
FRESH = Scenario("fresh_s", "code edit on a fresh machine, layers known to the registry")
WEIGHTS = Scenario("weights_s", "1 GB of weights added")
TORCH_COLD = Scenario("torch_cold_s", "torch CPU set, cold layers, downloads cached")
TORCH_ADDED = Scenario("torch_added_s", "torch + one small requirement")
SCENARIOS = (COLD, ADDED, EDITED, UNCHANGED, FRESH, WEIGHTS, TORCH_COLD, TORCH_ADDED)

_COUNTER = itertools.count()

Measured: TypeAlias = Iterator[tuple[Scenario, float]]


def measure(builder: Builder, site: Site, project: Path, weights_bytes: int) -> Measured:
    """Yield the seconds that each scenario takes with the scikit-learn set; a code edit several times."""
    yield from _measure_set(builder, site, project, SCIKIT_LEARN, (COLD, ADDED))
    for _ in range(EDITS):
        _edit(project)
        yield EDITED, _timed(builder, site, project)
    yield UNCHANGED, _timed(builder, site, project)
    if weights_bytes:
        write_noise(project / "weights.bin", weights_bytes)
        yield WEIGHTS, _timed(builder, site, project)


def measure_fresh(builder: Builder, site: Site, project: Path) -> Measured:
    """Yield what a code edit takes on a machine that has nothing, where another one has built and pushed before."""
    write_dockerfile(write_project(project))
    builder.build_and_push(project, site, is_shared=True)
    with builder.elsewhere():
        _edit(project)
        yield FRESH, _timed(builder, site, project, is_shared=True)


def measure_torch(builder: Builder, site: Site, project: Path) -> Measured:
    """Yield the seconds that the scenarios with torch take."""
    yield from _measure_set(builder, site, project, TORCH, (TORCH_COLD, TORCH_ADDED))


def _measure_set(
    builder: Builder,
    site: Site,
    project: Path,
    requirements: Sequence[str],
    scenarios: tuple[Scenario, Scenario],
) -> Measured:
    write_dockerfile(write_project(project, requirements))
    builder.prepare(site)
    builder.forget_layers()
    yield scenarios[0], _timed(builder, site, project)
    write_requirements(project, (*requirements, ONE_MORE))
    yield scenarios[1], _timed(builder, site, project)


def _edit(project: Path) -> None:
    (project / "run.py").write_text(f"{RUN}\n# edit {next(_COUNTER)}\n")


def _timed(builder: Builder, site: Site, project: Path, *, is_shared: bool = False) -> float:
    started = time.perf_counter()
    builder.build_and_push(project, site, is_shared=is_shared)
    return time.perf_counter() - started
