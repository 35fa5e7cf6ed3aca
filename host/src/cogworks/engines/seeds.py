"""What every environment has beside the project's packages: the pip that its Python brings.

Models call ``pip`` while they set up, and people run ``cog exec pip list``; without a pip of its
own, an environment would hand them the pip of the machine, which works on the wrong packages.
Before Python 3.12, setuptools belongs to a Python too, and older packages import its
``pkg_resources``. Both come as wheels with the interpreter, so no registry is asked; where a
Python has none (Debian splits them off), the environment goes without.
"""

from __future__ import annotations

from pathlib import Path

SEEDS = ("pip", "setuptools")


def missing_seeds(environment: Path, library: Path) -> list[Path]:
    """Return the wheels to add to an environment that has the project's packages already.

    Args:
        environment: the directory of the virtual environment.
        library: the directory of the interpreter's standard library.
    """
    # A Python may carry more than one version; the last in order is the newest.
    wheels = sorted((library / "ensurepip" / "_bundled").glob("*.whl"))
    newest = {wheel.name.partition("-")[0]: wheel for wheel in wheels}
    return [newest[name] for name in SEEDS if name in newest and not _has(environment, name)]


def _has(environment: Path, name: str) -> bool:
    patterns = ("lib/python*/site-packages", "Lib/site-packages")
    return any(any(environment.glob(f"{each}/{name}-*.dist-info")) for each in patterns)
