"""What a build of a project would do, in order, and why: for `cog build --explain`; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cogworks.build.context import Context
from cogworks.build.index_credentials import without_passwords
from cogworks.build.stages.stage import Commands, Stage, needed_stages
from cogworks.build.standalone import prefix_of
from cogworks.build.target import OLDEST_SERVER_PYTHON, SERVER_PYTHON
from cogworks.project.model import Project

_SOURCE = re.compile(r"git\+|\.(?:zip|tar\.gz|tgz|tar\.bz2|tar\.xz)(?:$|[#?;\s])", re.IGNORECASE)
"""A requirement that names a repository, or an archive that is no wheel."""
_CODE = "the project, without what .dockerignore names and what never belongs into an image"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, lowest layer first.

    Attributes:
        needs_engine: whether something has to be executed inside the image for it.
    """

    title: str
    what: str
    reason: str
    needs_engine: bool = False


def plan_build(
    project: Project,
    base: str,
    base_reason: str,
    platform: str,
    context: Context,
    *,
    brings_python: bool = False,
    requirements: Sequence[str] = (),
) -> tuple[Step, ...]:
    """Return the steps of a build.

    Args:
        base: the name of the base image.
        base_reason: why it is this one, in a sentence.
        context: the project's files.
        brings_python: whether a layer brings the model's Python, since the base has none.
        requirements: the lines of the project's requirements.
    """
    stages = needed_stages(project)
    return (
        *_beginning(project, base, base_reason, platform),
        *_pythons(project, brings_python),
        *(_engine_step(one) for one in stages if not isinstance(one, Commands)),
        *_sources(requirements),
        _packages(project),
        *_weights(context),
        Step("server", "/opt/cogworks", "the prediction server, in an environment of its own"),
        Step("SDK", "the package cog in /opt/venv", "what the model imports and workers start"),
        *(_engine_step(one) for one in stages if isinstance(one, Commands)),
        Step("code", f"{len(context.code)} files in /src", _CODE),
        Step(
            "metadata", "/src/.cog", "the model's OpenAPI schema, which the server checks against"
        ),
    )


def _beginning(project: Project, base: str, base_reason: str, platform: str) -> Iterator[Step]:
    model = project.run or project.train or ""
    yield Step("schema", model, "read from the source; nothing is executed")
    yield Step("base", f"{base} for {platform}", base_reason)


def _pythons(project: Project, brings_python: bool) -> Iterator[Step]:
    version = project.build.python_version
    if brings_python:
        where = f"/{prefix_of(project.build.python_minor)}"
        yield Step(f"Python {version}", where, "the base has none; a standalone build is brought")
    if project.build.python_minor < OLDEST_SERVER_PYTHON:
        wanted = ".".join(map(str, SERVER_PYTHON))
        reason = f"the prediction server does not run on {version}, the model's Python"
        yield Step(f"Python {wanted}", f"/{prefix_of(SERVER_PYTHON)}", reason)
    source = "brought along" if brings_python else "that of the base"
    yield Step("environment", "/opt/venv", f"the model's Python {version} is {source}")


def _engine_step(stage: Stage) -> Step:
    return Step(stage.title, "in a container", stage.reason, needs_engine=True)


def _packages(project: Project) -> Step:
    build = project.build
    name = project.config_path.name
    if build.requirements_file is not None:
        source = build.requirements_file.name
    elif build.python_packages:
        source = f"{name}: build.python_packages"
    else:
        return Step("packages", "none", f"{name} names no requirements")
    return Step(
        "packages",
        source,
        "resolved for the image by uv; each wheel of 4 MB or more is a layer, the others share one; "
        "what has no wheel is built first",
    )


def _sources(requirements: Sequence[str]) -> Iterator[Step]:
    """Yield the step of wheels that have to be built in any case; what an index has is not known before it is asked."""
    found = [without_passwords(line) for line in requirements if _SOURCE.search(line)]
    if found:
        yield Step(
            "wheels",
            ", ".join(found),
            "these come as source: pure Python is built here by uv, everything else in a container, on the base and "
            "its system packages",
        )


def _weights(context: Context) -> Iterator[Step]:
    count = len(context.weights)
    if count:
        files = "1 file" if count == 1 else f"{count} files"
        size = sum(one.size_bytes for one in context.weights)
        what = f"{files}, {size / 1e6:.0f} MB"
        yield Step("weights", what, "a layer for each, which an edit of the code never touches")
