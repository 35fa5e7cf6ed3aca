from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli.input_schema import InputSchema, read_input_schema


@pytest.fixture
def schema_of() -> Callable[..., InputSchema]:
    """Return a function that makes the schema of a model with the given inputs."""

    def make(
        required: list[str] | None = None,
        components: dict[str, Any] | None = None,
        /,
        **properties: dict[str, Any],
    ) -> InputSchema:
        numbered = {
            name: {"x-order": order, **schema}
            for order, (name, schema) in enumerate(properties.items())
        }
        own = {"type": "object", "properties": numbered, "required": required or []}
        return read_input_schema({"components": {"schemas": {"Input": own, **(components or {})}}})

    return make


COMMAND = (sys.executable, "-m", "cogworks.cli")


@dataclass(frozen=True)
class Project:
    """A project on disk, and `cog` as a process in its folder."""

    directory: Path
    environ: Mapping[str, str]

    def cog(
        self, *arguments: str, stdin: bytes = b"", **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `cog` to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a call."""
        return [*COMMAND, *arguments]

    @contextlib.contextmanager
    def started(
        self, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> Generator[subprocess.Popen[bytes]]:
        """Start `cog`; whatever happens, it is gone afterwards."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.directory,
            env={**self.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            alarm = threading.Timer(60, process.kill)
            alarm.start()
            try:
                yield process
            finally:
                alarm.cancel()
                process.kill()


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cache of all projects here: they have no requirements, so one environment."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_project(tmp_path: Path, cache_dir: Path) -> Callable[..., Project]:
    """Return a function that writes a project with the given model."""

    def make(model: str, config: str = "") -> Project:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        text = f'build:\n  python_version: "{version}"\nrun: "run.py:Runner"\n{config}'
        (tmp_path / "cog.yaml").write_text(text)
        (tmp_path / "run.py").write_text(model)
        environ = {name: text for name, text in os.environ.items() if not name.startswith("COG_")}
        # Relative entries would mean other folders where `cog` is started.
        paths = environ.get("PYTHONPATH", "").split(os.pathsep)
        environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths if path)
        environ["COG_CACHE_DIR"] = str(cache_dir)
        return Project(tmp_path, environ)

    return make
