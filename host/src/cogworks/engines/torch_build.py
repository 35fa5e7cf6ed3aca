"""Builds of PyTorch that requirements name, such as `torch==2.5.1+cu121`, on this machine.

Package indexes do not have them. Where requirements cannot be had as they are, they are tried again: on Linux with
PyTorch's own index, elsewhere without the name of the build, for there is one build only.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cogworks.engines.inputs import Inputs
from cogworks.engines.pip_settings import read_pip_settings, uv_variables
from cogworks.engines.redact import redact
from cogworks.engines.torch_settings import is_torch_settled
from cogworks.project.model import Project
from cogworks.project.named_packages import named_packages
from cogworks.project.torch_builds import VARIABLE, index_url, named_build, without_build


@dataclass(frozen=True, slots=True)
class OtherInputs:
    """The same requirements in another way, and what is told of it."""

    inputs: Inputs
    told: str


def with_named_build(
    project: Project,
    inputs: Inputs,
    variables: Mapping[str, str] | None,
    system: str = sys.platform,
) -> OtherInputs | None:
    """Return how requirements that name a build of PyTorch may be had; None if nothing else can be tried.

    Args:
        variables: those that uv runs under.
    """
    requirements = inputs.requirements
    build = named_build(named_packages(requirements.lines, project.build.python_minor))
    if build is None:
        return None
    if system != "linux":
        lines = tuple(without_build(line) for line in requirements.lines)
        told = f"This system has one build of PyTorch only: +{build} is left out"
        return OtherInputs(replace(inputs, requirements=replace(requirements, lines=lines)), told)
    own = dict(variables or {})
    own |= uv_variables(read_pip_settings(own), own)
    url = index_url(own.get(VARIABLE, ""), build)
    if url is None or is_torch_settled(project, inputs, own):
        return None
    options = (*requirements.options, f"--extra-index-url {url}")
    told = f"Looking for PyTorch's build {build} in {redact(url)}"
    return OtherInputs(replace(inputs, requirements=replace(requirements, options=options)), told)
