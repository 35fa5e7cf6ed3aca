"""Make an environment: find the Python, resolve, install, and declare it complete."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from cogworks.engines.errors import IndexUnreachableError, InstallError, ResolutionError
from cogworks.engines.git_credentials import with_git_access
from cogworks.engines.inputs import Inputs, hash_all, platform_name
from cogworks.engines.progress import Progress
from cogworks.engines.python import Interpreter, Machine, find_python
from cogworks.engines.resolution import (
    FILE_NAMES,
    index_switches,
    plan_resolution,
    write_source,
)
from cogworks.engines.seeds import missing_seeds
from cogworks.engines.store import Environment, Store, interpreter_of
from cogworks.engines.torch_build import with_named_build
from cogworks.engines.uv import Outcome, Uv, ignore_line
from cogworks.project.model import Project

T = TypeVar("T")

_UNREACHABLE = ("Failed to fetch", "error sending request", "dns error")
"""What uv says when it is the network that failed, not the requirements."""


def build_environment(
    project: Project,
    inputs: Inputs,
    store: Store,
    progress: Progress,
    variables: Mapping[str, str] | None,
) -> Environment:
    """Return the environment for these inputs, making it unless another process just did.

    Args:
        variables: the environment variables that uv runs under; None stands for our own.
    """
    started = time.monotonic()
    inputs, variables = with_git_access(inputs, variables)
    with store.lock(f"inputs-{inputs.key}", progress):
        existing = store.find_by_inputs(inputs.key)
        if existing is not None:
            progress.done("Environment ready, made by another process")
            return existing
        python = find_python(inputs.python_version, Uv(variables), Machine(variables), progress)
        builder = _Builder(project, inputs, store, progress, Uv(variables))
        environment = _or_otherwise(builder, variables, lambda one: one.build(python))
    progress.done(f"Environment ready in {time.monotonic() - started:.1f} s")
    return environment


def check_resolution(
    project: Project,
    inputs: Inputs,
    store: Store,
    progress: Progress,
    variables: Mapping[str, str] | None,
) -> None:
    """Check that the requirements can be resolved; nothing is installed, no Python is fetched.

    Raises:
        ResolutionError: they cannot.
    """
    inputs, variables = with_git_access(inputs, variables)
    python = Machine(variables).find(inputs.python_version)
    builder = _Builder(project, inputs, store, progress, Uv(variables))
    _or_otherwise(builder, variables, lambda one: one.check(python))


def _or_otherwise(
    builder: _Builder, variables: Mapping[str, str] | None, attempt: Callable[[_Builder], T]
) -> T:
    """Try something, and if the requirements cannot be had as they are, in the other way that there may be."""
    try:
        return attempt(builder)
    except IndexUnreachableError:
        raise
    except (ResolutionError, InstallError) as error:
        other = with_named_build(builder.project, builder.inputs, variables)
        if other is None:
            raise
        builder.progress.line(other.told)
        try:
            return attempt(replace(builder, inputs=other.inputs))
        except (ResolutionError, InstallError) as second:
            raise type(error)(f"{error}\n{other.told}, which did not help:\n{second}") from second


@dataclass(frozen=True, slots=True)
class _Builder:
    """The steps of one build; they share the project, uv and the display."""

    project: Project
    inputs: Inputs
    store: Store
    progress: Progress
    uv: Uv

    def build(self, python: Interpreter) -> Environment:
        """Run the steps; the caller holds the lock of the inputs."""
        resolution = self._find_resolution(python) or self._resolve(python)
        packages = resolution.read_text(encoding="utf-8")
        parts = [python.version, platform_name(), packages, self.inputs.artifacts_digest]
        key = hash_all(parts)
        with self.store.lock(key, self.progress):
            environment = self.store.find(key) or self._install(key, python, resolution)
        self.store.remember_inputs(self.inputs.key, key)
        return environment

    def check(self, python: Interpreter | None) -> None:
        """Resolve without installing; what comes of it is kept if it is for the right Python."""
        if python is not None:
            with self.store.lock(f"inputs-{self.inputs.key}", self.progress):
                _ = self._find_resolution(python) or self._resolve(python)
            return
        with tempfile.TemporaryDirectory(prefix="cog-check-") as folder:
            workspace = Path(folder)
            version = self.inputs.python_version
            plan = plan_resolution(self.inputs, Path(sys.executable), workspace, version)
            if not plan.arguments:
                return
            self.progress.stage(f"Resolving the requirements for Python {version}")
            outcome = self._run(plan.arguments)
            if outcome.code != 0:
                raise self._resolution_error(outcome, workspace)

    def _resolution_directory(self, python: Interpreter) -> Path:
        return self.store.resolution_directory(f"{self.inputs.key}-{python.version}")

    def _find_resolution(self, python: Interpreter) -> Path | None:
        """Return what these inputs came to before: a lost environment is made again the same."""
        directory = self._resolution_directory(python)
        found = (directory / name for name in FILE_NAMES)
        return next((path for path in found if path.is_file()), None)

    def _resolve(self, python: Interpreter) -> Path:
        """Write the exact packages that the inputs come to, and return the file."""
        directory = self._resolution_directory(python)
        directory.mkdir(parents=True, exist_ok=True)
        # A pylock.toml names local files relative to itself: it is written, and later read, in
        # directories of the same depth.
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as workspace:
            plan = plan_resolution(self.inputs, python.path, Path(workspace))
            if plan.arguments:
                self.progress.stage("Resolving the requirements")
                outcome = self._run(plan.arguments)
                if outcome.code != 0:
                    raise self._resolution_error(outcome, Path(workspace))
            return plan.output.replace(directory / plan.output.name)

    def _install(self, key: str, python: Interpreter, resolution: Path) -> Environment:
        """Make the virtual environment and fill it; nothing is left of it when that fails."""
        directory = self.store.new_directory(key)
        try:
            self.progress.stage("Creating the environment")
            create = ["venv", "--no-project", "--no-config", "--python", str(python.path)]
            outcome = self._run([*create, str(directory)])
            if outcome.code != 0:
                reason = outcome.explanation
                raise InstallError(f"the environment cannot be created: {reason}")
            if resolution.stat().st_size:
                self._fill(directory, resolution)
            self._add_seeds(directory, python)
            return self.store.complete(key, directory)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def _fill(self, directory: Path, resolution: Path) -> None:
        self.progress.stage("Installing packages")
        requirements = self.inputs.requirements
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as workspace:
            source = resolution
            arguments = ["pip", "sync", "--python", str(interpreter_of(directory))]
            if self.inputs.pyproject is None:
                source = write_source(requirements, [f"-r {resolution}"], Path(workspace))
                arguments += index_switches(self.inputs)
            if requirements.has_hashes:
                arguments.append("--require-hashes")
            outcome = self._run([*arguments, str(source)])
            if outcome.code != 0:
                raise InstallError(self._explain(outcome, Path(workspace), "installed"))

    def _add_seeds(self, directory: Path, python: Interpreter) -> None:
        wheels = [str(wheel) for wheel in missing_seeds(directory, python.library)]
        if not wheels:
            return
        install = ["pip", "install", "--no-config", "--no-index", "--no-deps", "--python"]
        arguments = [*install, str(interpreter_of(directory)), *wheels]
        # Not told line by line: nobody asked for these.
        outcome = self.uv.run(arguments, directory, ignore_line)
        if outcome.code != 0:
            raise InstallError(f"pip cannot be installed: {outcome.explanation}")

    def _run(self, arguments: Sequence[str]) -> Outcome:
        return self.uv.run(arguments, self.project.directory, self.progress.line)

    def _resolution_error(self, outcome: Outcome, workspace: Path) -> ResolutionError:
        is_unreachable = any(sign in outcome.explanation for sign in _UNREACHABLE)
        kind = IndexUnreachableError if is_unreachable else ResolutionError
        return kind(self._explain(outcome, workspace, "resolved"))

    def _explain(self, outcome: Outcome, workspace: Path, verb: str) -> str:
        """Return uv's reason in the author's terms: their file instead of our copy of it."""
        source = self.project.build.requirements_file
        name = source.name if source is not None else self.project.config_path.name
        reason = outcome.explanation.replace(str(workspace / "requirements.in"), name)
        if any(sign in reason for sign in _UNREACHABLE):
            return f"the package index cannot be reached:\n{reason}"
        return f"the packages of {name} cannot be {verb}:\n{reason}"
