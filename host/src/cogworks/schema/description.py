"""The OpenAPI document of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from cog._schema.openapi import document
from cogworks._version import __version__
from cogworks.schema.analysis import analyze
from cogworks.schema.errors import SchemaError


class DescribedProject(Protocol):
    """What must be known of a project: where it is and what it runs."""

    @property
    def directory(self) -> Path:
        """Where cog.yaml is."""
        ...

    @property
    def run(self) -> str | None:
        """The reference of the model."""
        ...

    @property
    def train(self) -> str | None:
        """The reference of the training."""
        ...

    @property
    def concurrency_max(self) -> int | None:
        """The ``concurrency.max`` of cog.yaml."""
        ...


def describe(project: DescribedProject) -> dict[str, Any]:
    """Return the OpenAPI document of a project, of its model and its training.

    Raises:
        SchemaError: there is neither, or one of them cannot be read.
    """
    if project.run is None and project.train is None:
        advice = "Write `run: run.py:Runner` in cog.yaml."
        raise SchemaError("no run or train reference found in cog.yaml", advice)
    run = None if project.run is None else analyze(project.directory, project.run)
    train = None if project.train is None else analyze(project.directory, project.train, "train")
    if run is not None:
        check_concurrency(run.is_async, project)
    return document(run, train, __version__)


def check_concurrency(is_async: bool, project: DescribedProject) -> None:
    """Check what ``concurrency.max`` asks of the model.

    Raises:
        SchemaError: several predictions at once, of a model that is not async.
    """
    limit = project.concurrency_max or 1
    if limit > 1 and not is_async:
        raise SchemaError(
            f"concurrency.max: {limit} requires an async run() or predict() method",
            f"Write `async def` in {project.run}, or remove concurrency.max.",
            file="cog.yaml",
        )
