"""The wheels of a project on this machine: resolved, fetched, and, where there is only a source, built."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from cogworks.build.cache import Cache
from cogworks.build.index_credentials import (
    IndexCredentials,
    expand_variables,
    read_credentials,
)
from cogworks.build.indexes import Indexes, index_variables
from cogworks.build.lock import LockedSource
from cogworks.build.resolve import resolve
from cogworks.build.target import Target
from cogworks.build.wheel_set import WheelFile
from cogworks.build.wheels import Wheelhouse
from cogworks.engines.inputs import read_requirements
from cogworks.engines.pip_settings import read_pip_settings, uv_variables
from cogworks.engines.progress import Progress
from cogworks.project.model import Project
from cogworks.project.requirements import Requirements

FetchArchives: TypeAlias = Callable[[Sequence[LockedSource]], Mapping[str, Path]]
"""Brings the archives of sources here; returns them by the names of their packages."""
BuildSources: TypeAlias = Callable[
    [Sequence[LockedSource], FetchArchives, Indexes], list[WheelFile]
]
"""Builds wheels of sources, or finds what was built of them before."""


def locked_wheels(
    project: Project,
    target: Target,
    cache: Cache,
    progress: Progress,
    environment: Mapping[str, str],
    *,
    keep_lock: bool = False,
    build_sources: BuildSources | None = None,
) -> tuple[list[WheelFile], list[str]]:
    """Return the wheels that a project's requirements come to, and notices; they come here when they are needed.

    Args:
        build_sources: builds wheels of packages that have none for the target.

    Raises:
        BuildError: they cannot be resolved, fetched or built.
        RequirementsError: the requirements have problems.
    """
    python = Path(sys.executable)
    resolution = resolve(
        project,
        target,
        cache,
        progress,
        python=python,
        environment=environment,
        keep_beside=keep_lock,
    )
    variables = {**environment, **uv_variables(read_pip_settings(environment), environment)}
    source = project.build.requirements_file
    is_pyproject = source is not None and source.suffix == ".toml"
    asked = Requirements() if is_pyproject else read_requirements(project)
    index = resolution.torch_index
    urls = (index.url,) if index is not None and index.url is not None else ()
    credentials = read_credentials(variables, (*asked.options, *asked.lines, *urls))
    counter = _Counter(progress)
    found: list[WheelFile] = []
    if resolution.sources:
        if build_sources is None:
            raise resolution.sources[0].no_wheel(target)
        options = [expand_variables(one, environment) for one in asked.options]
        indexes = Indexes({**variables, **index_variables(options, variables)}, credentials)
        fetch = partial(_fetch, cache, credentials, counter.add, variables)
        found = build_sources(resolution.sources, fetch, indexes)
    house = Wheelhouse(cache, resolution.wheels, credentials, counter.add, variables)
    try:
        found += house.files()
        return sorted(found, key=lambda one: one.name), list(resolution.notices)
    except BaseException:
        house.close()
        raise


def _fetch(
    cache: Cache,
    credentials: IndexCredentials,
    on_bytes: Callable[[int], None],
    variables: Mapping[str, str],
    sources: Sequence[LockedSource],
) -> dict[str, Path]:
    archives = [one.archive for one in sources if one.archive is not None]
    with closing(Wheelhouse(cache, archives, credentials, on_bytes, variables)) as house:
        files = house.files()
        house.bring(files)
        return {one.name: one.path for one in files}


class _Counter:
    """Tells a display how much was read, once every 16 MiB."""

    STEP_BYTES = 16 * 1024 * 1024

    def __init__(self, progress: Progress) -> None:
        self._progress, self._lock, self._bytes, self._told = progress, Lock(), 0, 0

    def add(self, count: int) -> None:
        with self._lock:
            self._bytes += count
            if self._bytes - self._told >= self.STEP_BYTES:
                self._told = self._bytes
                self._progress.line(f"{self._bytes / 1e6:.0f} MB of packages read")
