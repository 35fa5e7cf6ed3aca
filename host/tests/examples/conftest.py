"""A copy of an example, and the real command to run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
COMMANDS = Path(sys.executable).parent
WANTED_PYTHON = "3.11"
"""What the examples' cog.yaml asks for."""
TIMEOUT_S = 600
"""The first run of an example makes its environment; ``embed`` then fetches 90 MB."""


@dataclass(frozen=True)
class Example:
    """A copy of an example; commands that run in it find ``cog`` first on PATH."""

    directory: Path
    variables: dict[str, str]

    def readme_command(self) -> str:
        """Return the one command of its README."""
        lines = (self.directory / "README.md").read_text().splitlines()
        commands = [line.strip() for line in lines if line.startswith("    ")]
        assert len(commands) == 1, commands
        return commands[0]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command; fail with what it said unless it exits 0."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return done

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a shell command whose stdout is a pipe."""
        return subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all examples, empty at first: their environments are made here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def example(tmp_path: Path, cache_dir: Path) -> Callable[[str], Example]:
    """Return a function that copies an example; its files do not change."""
    assert (COMMANDS / "cog").exists(), f"no cog beside {sys.executable}: pip install ./sdk ./host"
    path = f"{COMMANDS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # What the caller's shell says about models or Python must not reach the examples.
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COG_") and name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    variables |= {"PATH": path, "COG_CACHE_DIR": str(cache_dir)}
    if not is_python_installed(WANTED_PYTHON):
        # Where the Python that the examples ask for is missing, ours does as well.
        variables["COG_PYTHON"] = f"{sys.version_info.major}.{sys.version_info.minor}"

    def copy(name: str) -> Example:
        directory = tmp_path / name
        left_out = shutil.ignore_patterns("__pycache__", ".cog", "out.png")
        shutil.copytree(EXAMPLES / name, directory, ignore=left_out)
        return Example(directory, variables)

    return copy


def is_python_installed(version: str) -> bool:
    """Tell whether uv finds this Python on the machine."""
    command = [str(COMMANDS / "uv"), "python", "find", "--system", "--no-python-downloads", version]
    return subprocess.run(command, capture_output=True).returncode == 0
