"""Projects and packages made on the spot, so that real environments are built without a network."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cogworks.engines.local import Environment, ensure_environment
from cogworks.project import Project, load_project

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class RecordingProgress:
    """Keeps what it is told."""

    stages: list[str] = field(default_factory=list[str])
    lines: list[str] = field(default_factory=list[str])
    ends: list[str] = field(default_factory=list[str])

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def done(self, text: str) -> None:
        self.ends.append(text)


@dataclass
class Workbench:
    """A project, a folder of packages that stands for the registry, and a cache, all in one place."""

    root: Path
    progress: RecordingProgress = field(default_factory=RecordingProgress)

    @property
    def directory(self) -> Path:
        return self.root / "project"

    @property
    def cache_dir(self) -> Path:
        return self.root / "cache"

    @property
    def packages(self) -> Path:
        return self.root / "packages"

    @property
    def variables(self) -> dict[str, str]:
        """The variables that uv runs under: this Python, our packages, no network."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "HOME": str(self.root),
            "PYENV_ROOT": str(self.root / "no-pyenv"),
            "UV_CACHE_DIR": str(self.root / "uv-cache"),
            "UV_FIND_LINKS": str(self.packages),
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_PYTHON_INSTALL_DIR": str(self.root / "no-pythons"),
        }

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def project(self, requirements: str | None = None, python: str = THIS_PYTHON) -> Project:
        """Write a project and load it."""
        config = f'build:\n  python_version: "{python}"\n'
        if requirements is not None:
            self.write("requirements.txt", requirements)
            config += "  python_requirements: requirements.txt\n"
        self.write("cog.yaml", config)
        return load_project(self.directory)

    def ensure(
        self,
        project: Project,
        python_version: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Environment:
        return ensure_environment(
            project,
            cache_dir=self.cache_dir,
            progress=self.progress,
            python_version=python_version,
            environment=self.variables if variables is None else variables,
        )

    def wheel(
        self, name: str, version: str, requires: Sequence[str] = (), folder: Path | None = None
    ) -> Path:
        """Make a wheel with one module that knows its version."""
        path = (folder or self.packages) / f"{name}-{version}-py3-none-any.whl"
        path.parent.mkdir(parents=True, exist_ok=True)
        info = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": metadata,
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in {**files, f"{info}/RECORD": record}.items():
                archive.writestr(file, text)
        return path

    def sdist(self, name: str, backend: str) -> Path:
        """Make a source archive in the project, whose build runs ``backend``."""
        build_system = (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        files = {
            "pyproject.toml": build_system,
            "backend.py": textwrap.dedent(backend),
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        }
        path = self.directory / f"{name}-1.0.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as archive:
            for file, text in files.items():
                member = tarfile.TarInfo(f"{name}-1.0/{file}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        return path

    def child(self, action: str) -> subprocess.Popen[str]:
        """Start a process that ensures this project's environment and prints what happens.

        ``action`` is the body of a function ``at(stage)`` that is called at each stage.
        """
        script = CHILD.replace("ACTION", textwrap.indent(textwrap.dedent(action), "    "))
        return subprocess.Popen(
            [sys.executable, "-c", script, str(self.directory), str(self.cache_dir)],
            env={**self.variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )


CHILD = """
import os, sys
from pathlib import Path
from cogworks.engines.local import ensure_environment
from cogworks.project import load_project

def at(stage):
ACTION

class Printing:
    def stage(self, text):
        print("stage", text, flush=True)
        at(text)
    def line(self, text):
        print("line", text, flush=True)
    def done(self, text):
        print("done", flush=True)

environment = ensure_environment(
    load_project(Path(sys.argv[1])),
    cache_dir=Path(sys.argv[2]),
    progress=Printing(),
    environment=dict(os.environ),
)
print("python", environment.python)
print("modules", *sorted(sys.modules))
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    workbench = Workbench(tmp_path)
    workbench.packages.mkdir()
    return workbench
