"""One virtual environment for each server, made by uv and kept in the cache folder."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT_S = 600
MARKER = "complete"
"""The file that a finished environment has; without it, it is made anew."""


class InstallFailed(Exception):
    """A server cannot be installed; the message is the end of what uv said."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment and what is in it."""

    directory: Path
    versions: Mapping[str, str]

    @property
    def bin(self) -> Path:
        """Where its commands are."""
        return self.directory / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"


def find_uv() -> str:
    """Return the uv command beside this Python, or the one on PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise InstallFailed("uv was not found, neither beside this Python nor on PATH")
    return found


def ensure_environment(
    cache: Path, packages: Sequence[str], *, python: str, is_local: bool = False
) -> Environment:
    """Return an environment with ``packages``; make it if there is none yet.

    Packages of this repository (``is_local``) change without a new version: they are always
    installed afresh, into an environment that keeps their dependencies.
    """
    key = hashlib.sha256("\n".join([python, *packages]).encode()).hexdigest()[:16]
    directory = cache / "environments" / key
    if not (directory / MARKER).exists():
        shutil.rmtree(directory, ignore_errors=True)
        run_uv("venv", "--python", python, str(directory))
        install(directory, packages)
        (directory / MARKER).touch()
    elif is_local:
        install(
            directory,
            ["--reinstall-package=cogworks", "--reinstall-package=cogworks-sdk", *packages],
        )
    return Environment(directory, list_versions(directory))


def install(directory: Path, arguments: Sequence[str]) -> None:
    """Install into an environment, compiled as in an image, so that cold starts compare."""
    python = str(directory / "bin" / "python")
    run_uv("pip", "install", "--compile-bytecode", "--python", python, *arguments)


def list_versions(directory: Path) -> Mapping[str, str]:
    """Return the name and version of every installed package."""
    python = str(directory / "bin" / "python")
    listed = json.loads(run_uv("pip", "list", "--format=json", "--python", python))
    return {package["name"]: package["version"] for package in listed}


def run_uv(*arguments: str) -> str:
    """Run uv and return its stdout."""
    # The directory above all keeps uv from reading some project's settings.
    try:
        done = subprocess.run(
            [find_uv(), "--quiet", *arguments],
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(f"uv took longer than {INSTALL_TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise InstallFailed(" ".join(done.stderr.split())[-300:])
    return done.stdout
