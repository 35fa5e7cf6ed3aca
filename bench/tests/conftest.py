"""Our server as the benchmarks start it, from this environment instead of one of its own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.contest.contest import Contest, Entrant
from bench.contest.run import REPOSITORY, write_project
from bench.overhead.environments import Environment
from bench.overhead.peers import list_peers


@pytest.fixture
def enter(tmp_path: Path) -> Callable[[Contest], Entrant]:
    """Return our server as it takes part in a comparison."""

    def make(contest: Contest) -> Entrant:
        project = tmp_path / "project"
        write_project(contest, project)
        environment = Environment(Path(sys.prefix), {})
        cpus = frozenset(os.sched_getaffinity(0))
        return Entrant(list_peers(REPOSITORY)[0], environment, project, tmp_path, cpus, True)

    return make
