"""A project: a directory with a ``cog.yaml``, read into frozen values with line numbers.

What is named here is loaded when it is asked for: many want a single module of this package, and reading YAML takes time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "errors": ("ConfigError", "ConfigNotFoundError", "Problem", "RequirementsError"),
    "files": ("examine_project", "load_project"),
    "model": ("Build", "Project", "RunCommand", "SecretMount", "Weight", "WeightSource"),
    "parse": ("Examined",),
}
"""Module -> the names that it has."""


def __getattr__(name: str) -> Any:
    """Load a name's module; the name is then an attribute like others."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
