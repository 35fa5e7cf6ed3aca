"""pip in the model's environment, for images whose commands may call it: that of the base works on other packages."""

from __future__ import annotations

from collections.abc import Mapping

from cogworks.build.cache import Cache
from cogworks.build.locked_wheels import locked_wheels
from cogworks.build.target import Target
from cogworks.build.wheel_set import WheelFile
from cogworks.engines.progress import Progress
from cogworks.project.model import Build, Project

PIP = "pip==25.3"
"""Exact, so that the same project is the same image tomorrow; the last one that runs on Python 3.9."""
OLDER = ("setuptools==80.9.0", "wheel==0.45.1")
"""What a Python before 3.12 has beside pip, and builds of older packages take for granted."""
FIRST_WITHOUT = (3, 12)


def installer_wheels(
    target: Target, cache: Cache, progress: Progress, environment: Mapping[str, str]
) -> list[WheelFile]:
    """Return the wheels of pip, and of what belongs to it.

    Raises:
        BuildError: they cannot be resolved or fetched.
    """
    packages = (PIP,) if target.python >= FIRST_WITHOUT else (PIP, *OLDER)
    build = Build(python_version=target.python_version, python_packages=packages)
    folder = cache.root / "installer"
    folder.mkdir(parents=True, exist_ok=True)
    needs = Project(folder, folder / "pip", build)
    wheels, _ = locked_wheels(needs, target, cache, progress, environment)
    return wheels
