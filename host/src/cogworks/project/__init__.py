"""A project: a directory with a ``cog.yaml``, read into frozen values with line numbers."""

from __future__ import annotations

from cogworks.project.errors import (
    ConfigError,
    ConfigNotFoundError,
    Problem,
    RequirementsError,
)
from cogworks.project.files import load_project
from cogworks.project.model import (
    Build,
    Project,
    RunCommand,
    SecretMount,
    Weight,
    WeightSource,
)

__all__ = [
    "Build",
    "ConfigError",
    "ConfigNotFoundError",
    "Problem",
    "Project",
    "RequirementsError",
    "RunCommand",
    "SecretMount",
    "Weight",
    "WeightSource",
    "load_project",
]
