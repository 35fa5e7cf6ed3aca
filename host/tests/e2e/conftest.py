"""The real command in copies of projects, with a real registry; downloads are kept in the repository's `.cache`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cogworks.oci.reference import Reference
from tests.parts.base_tree import cache_folder
from tests.parts.engine import Engine
from tests.parts.fixtures import (
    base_reference,
    buildah,
    debian,
    docker,
    podman,
    real_registry,
    skopeo,
)

__all__ = ["base_reference", "buildah", "debian", "docker", "podman", "real_registry", "skopeo"]

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
COMMANDS = Path(sys.executable).parent
TIMEOUT_S = 600


@dataclass(frozen=True)
class Desk:
    """A folder with projects, and the command, which finds its base in the real registry.

    Attributes:
        variables: all that the command gets.
        host: the registry.
    """

    root: Path
    variables: Mapping[str, str]
    host: str
    base: Reference

    def copy(self, name: str) -> Path:
        """Copy an example and return where it is."""
        left_out = shutil.ignore_patterns("__pycache__", ".cog", "out.png")
        return shutil.copytree(EXAMPLES / name, self.root / name, ignore=left_out)

    def run(self, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `cog ARGUMENTS` in a project; fail with what it said unless it exits 0."""
        done = subprocess.run(
            [str(COMMANDS / "cog"), *arguments],
            cwd=directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return done

    def push(self, directory: Path) -> str:
        """Build and push a project; return the image's name with its digest."""
        target = f"{self.host}/me/{directory.name}:v1"
        done = self.run(directory, "push", target, "--base-image", str(self.base))
        pinned = done.stdout.strip()
        assert pinned.startswith(f"{self.host}/me/{directory.name}@sha256:")
        return pinned


@pytest.fixture
def desk(tmp_path: Path, base_reference: Reference) -> Desk:
    # What the caller's shell says about models must not reach them, nor the caller's docker the builds.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COG_")}
    variables = {
        **kept,
        "PATH": f"{COMMANDS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "COG_CACHE_DIR": str(cache_folder() / "cog"),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
    }
    return Desk(tmp_path, variables, base_reference.repository.registry, base_reference)


@pytest.fixture(params=["docker", "podman"])
def variables(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> Mapping[str, str]:
    """Return all that `cog` needs to use one engine, which trusts the registry of the tests; bases come from there."""
    engine: Engine = request.getfixturevalue(request.param)
    registries = tmp_path / "registries.conf"
    registries.write_text(f'[[registry]]\nlocation = "{desk.host}"\ninsecure = true\n')
    return {
        **desk.variables,
        **engine.environment,
        "PATH": desk.variables["PATH"],
        "COG_ENGINE": request.param,
        "COG_BASE_REGISTRY": desk.host,
        "CONTAINERS_REGISTRIES_CONF": str(registries),
    }


def cog(
    folder: Path, variables: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `cog ARGUMENTS` in a folder, whatever comes of it."""
    return subprocess.run(
        [str(COMMANDS / "cog"), *arguments],
        cwd=folder,
        env=dict(variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
