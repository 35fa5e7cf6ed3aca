"""A project: a directory with a ``cog.yaml``, read into frozen values with line numbers."""

from __future__ import annotations

from cogworks.project.errors import (
    ConfigError,
    ConfigNotFoundError,
    Problem,
    RequirementsError,
)
from cogworks.project.files import examine_project, load_project
from cogworks.project.model import (
    Build,
    Project,
    RunCommand,
    SecretMount,
    Weight,
    WeightSource,
)
from cogworks.project.parse import Examined

__all__ = [
    "Build",
    "ConfigError",
    "ConfigNotFoundError",
    "Examined",
    "Problem",
    "Project",
    "RequirementsError",
    "RunCommand",
    "SecretMount",
    "Weight",
    "WeightSource",
    "examine_project",
    "load_project",
]
