"""Make an environment: find the Python, resolve, install, and declare it complete."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.errors import EngineError, InstallError, ResolutionError
from cogworks.engines.inputs import Inputs, hash_all, platform_name
from cogworks.engines.progress import Progress
from cogworks.engines.python import Machine, find_python
from cogworks.engines.store import Environment, Store, interpreter_of
from cogworks.engines.uv import Outcome, Uv
from cogworks.project.model import Project
from cogworks.project.requirements import OWN_PACKAGES

_UNREACHABLE = ("Failed to fetch", "error sending request", "dns error", "network was disabled")


def build_environment(
    project: Project,
    inputs: Inputs,
    store: Store,
    progress: Progress,
    variables: Mapping[str, str] | None,
) -> Environment:
    """Return the environment for these inputs, making it unless another process just did."""
    started = time.monotonic()
    with store.lock(f"inputs-{inputs.key}", progress):
        existing = store.find_by_inputs(inputs.key)
        if existing is not None:
            progress.done("Environment ready, made by another process")
            return existing
        builder = _Builder(project, inputs, store, progress, variables)
        environment = builder.build()
    progress.done(f"Environment ready in {time.monotonic() - started:.1f} s")
    return environment


class _Builder:
    """The steps of one build; they share the project, uv and the display."""

    def __init__(
        self,
        project: Project,
        inputs: Inputs,
        store: Store,
        progress: Progress,
        variables: Mapping[str, str] | None,
    ) -> None:
        self._project = project
        self._inputs = inputs
        self._store = store
        self._progress = progress
        self._variables = variables
        self._uv = Uv(variables)

    def build(self) -> Environment:
        """Run the steps; the caller holds the lock of the inputs."""
        machine = Machine(self._variables)
        python = find_python(self._inputs.python_version, self._uv, machine, self._progress)
        resolution = self._find_resolution() or self._resolve(python)
        key = hash_all(
            [
                self._inputs.python_version,
                platform_name(),
                resolution.read_text(encoding="utf-8"),
                self._inputs.artifacts_digest,
            ]
        )
        with self._store.lock(key, self._progress):
            environment = self._store.find(key) or self._install(key, python, resolution)
        self._store.remember_inputs(self._inputs.key, key)
        return environment

    def _find_resolution(self) -> Path | None:
        """Return what these inputs came to before: a lost environment is made again the same."""
        directory = self._store.resolution_directory(self._inputs.key)
        found = [directory / name for name in ("requirements.txt", "pylock.toml")]
        return next((path for path in found if path.is_file()), None)

    def _resolve(self, python: Path) -> Path:
        """Write the exact packages that the inputs come to, and return the file."""
        directory = self._store.resolution_directory(self._inputs.key)
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix="new-") as temporary:
            plan = self._plan(Path(temporary), python)
            if plan is None:
                plan = _Plan([], Path(temporary) / "requirements.txt")
                plan.output.write_text("", encoding="utf-8")
            else:
                self._progress.stage("Resolving the requirements")
                outcome = self._run(plan.arguments)
                if outcome.code != 0:
                    raise ResolutionError(self._explain(outcome, Path(temporary), "resolved"))
            # The file names its local archives relative to a directory of this depth.
            return plan.output.replace(directory / plan.output.name)

    def _plan(self, temporary: Path, python: Path) -> _Plan | None:
        """Return how uv is asked; None when there is nothing to resolve."""
        inputs = self._inputs
        common = ["--python", str(python), "--no-header", "--no-annotate"]
        if inputs.lock is not None and inputs.pyproject is not None:
            output = temporary.parent / f"{temporary.name}.toml"
            output = temporary / "pylock.toml"
            prune = [f"--prune={name}" for name in sorted(OWN_PACKAGES)]
            export = ["export", "--frozen", "--no-emit-project", "--no-default-groups", *prune]
            folder = ["--project", str(inputs.pyproject.parent)]
            target = ["--format=pylock.toml", "--output-file", str(output)]
            return _Plan([*export, *folder, *target, *common], output)
        excludes = temporary / "excludes.txt"
        excludes.write_text("".join(f"{name}\n" for name in sorted(OWN_PACKAGES)), "utf-8")
        compile_ = ["pip", "compile", "--excludes", str(excludes), *common]
        if inputs.pyproject is not None:
            output = temporary / "pylock.toml"
            target = ["--format=pylock.toml", "--output-file", str(output)]
            return _Plan([*compile_, *target, str(inputs.pyproject)], output)
        if not inputs.requirements.lines:
            return None
        source = self._source(temporary, inputs.requirements.lines)
        output = temporary / "requirements.txt"
        arguments = [*compile_, "--output-file", str(output), *self._switches(), str(source)]
        if inputs.requirements.has_hashes:
            arguments.append("--generate-hashes")
        return _Plan(arguments, output)

    def _source(self, temporary: Path, lines: Sequence[str]) -> Path:
        """Write a requirements file for uv: the author's options, then the lines."""
        source = temporary / "requirements.in"
        text = "".join(f"{line}\n" for line in (*self._inputs.requirements.options, *lines))
        source.write_text(text, encoding="utf-8")
        return source

    def _switches(self) -> list[str]:
        """Return uv's options for a requirements file that was written for pip."""
        requirements = self._inputs.requirements
        switches = [switch for switch in requirements.switches if switch != "--require-hashes"]
        has_more = any(option.startswith("--extra-index-url") for option in requirements.options)
        if has_more and "UV_INDEX_STRATEGY" not in (self._variables or {}):
            # pip takes the best version of all indexes; uv by default only the first index that
            # knows the name, which hides newer versions behind a partial mirror.
            switches.append("--index-strategy=unsafe-best-match")
        return switches

    def _install(self, key: str, python: Path, resolution: Path) -> Environment:
        """Make the virtual environment and fill it; nothing is left of it when that fails."""
        directory = self._store.new_directory(key)
        try:
            self._progress.stage("Creating the environment")
            create = ["venv", "--no-project", "--no-config", "--python", str(python)]
            outcome = self._run([*create, str(directory)])
            if outcome.code != 0:
                message = f"the environment cannot be created: {outcome.explanation}"
                raise InstallError(message)
            if resolution.stat().st_size:
                self._fill(directory, resolution)
            return self._store.complete(key, directory)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def _fill(self, directory: Path, resolution: Path) -> None:
        self._progress.stage("Installing packages")
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as temporary:
            source = resolution
            if resolution.suffix == ".txt":
                source = self._source(Path(temporary), [f"-r {resolution}"])
            arguments = ["pip", "sync", "--python", str(interpreter_of(directory))]
            if resolution.suffix == ".txt":
                arguments += [s for s in self._switches() if not s.startswith("--prerelease")]
            outcome = self._run([*arguments, str(source)])
            if outcome.code != 0:
                raise InstallError(self._explain(outcome, Path(temporary), "installed"))

    def _run(self, arguments: Sequence[str]) -> Outcome:
        try:
            return self._uv.run(arguments, self._project.directory, self._progress.line)
        except OSError as error:
            raise EngineError(f"uv cannot be started: {error}") from error

    def _explain(self, outcome: Outcome, temporary: Path, verb: str) -> str:
        """Return uv's reason in the author's terms: their file instead of our copy of it."""
        source = self._project.build.requirements_file
        name = source.name if source is not None else self._project.config_path.name
        reason = outcome.explanation.replace(str(temporary / "requirements.in"), name)
        if any(sign in reason for sign in _UNREACHABLE):
            return f"the package index cannot be reached:\n{reason}"
        return f"the packages of {name} cannot be {verb}:\n{reason}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """A call of uv and the file that it writes."""

    arguments: list[str]
    output: Path
