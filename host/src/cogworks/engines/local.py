"""The local engine: a virtual environment for a project, made by uv, reused in milliseconds.

``docs/environments.md`` says what an environment is keyed by and where it lives. Nothing of ours
is installed in it: the caller puts the SDK's source tree on the path of what it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cogworks.engines.errors import EngineError
from cogworks.engines.inputs import collect_inputs, read_requirements
from cogworks.engines.lease import Lease
from cogworks.engines.progress import Progress
from cogworks.engines.store import Environment, Store
from cogworks.errors import CogworksError
from cogworks.project.model import Project
from cogworks.project.rules import check_python_version

__all__ = ["Environment", "Progress", "check_requirements", "ensure_environment", "notices"]


def ensure_environment(
    project: Project,
    *,
    cache_dir: Path,
    progress: Progress,
    python_version: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Environment:
    """Return the environment of a project; make it on the first call.

    Keep what is returned as long as something runs in it: nobody removes the environment meanwhile.

    Args:
        cache_dir: environments are kept in ``cache_dir/envs``.
        progress: hears nothing when the environment is reused.
        python_version: another Python than the project's own.
        environment: the variables that uv runs under, and in whose PATH and PYENV_ROOT Pythons
            are looked for; None stands for those of this process.

    Raises:
        RequirementsError: the project's requirements have problems.
        EngineError: the environment cannot be made; a subclass says at which step.
    """
    version = python_version or project.build.python_version
    complaint = check_python_version(version)
    if complaint is not None:
        raise EngineError(f'Python "{version}": {complaint}')
    inputs = collect_inputs(project, version, environment)
    store = Store(cache_dir / "envs", Lease(cache_dir))
    existing = store.find_by_inputs(inputs.key)
    if existing is not None:
        return existing
    # Imported here: uv, processes and locks are not needed to reuse an environment.
    from cogworks.engines.building import build_environment

    try:
        return build_environment(project, inputs, store, progress, environment)
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename or cache_dir}"
        raise EngineError(f"the environment cannot be made in {cache_dir}: {reason}") from error


def check_requirements(
    project: Project,
    *,
    cache_dir: Path,
    progress: Progress,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Check that a project's requirements can be resolved; arguments as above.

    Those of an environment that is there, or that were resolved before, are not resolved again.

    Raises:
        RequirementsError: the project's requirements have problems.
        ResolutionError: they do not fit together, or do not exist.
        EngineError: they cannot be checked.
    """
    inputs = collect_inputs(project, project.build.python_version, environment)
    if inputs.pyproject is None and not inputs.requirements.lines:
        return
    store = Store(cache_dir / "envs")
    if store.find_by_inputs(inputs.key) is not None:
        return
    from cogworks.engines.building import check_resolution

    try:
        check_resolution(project, inputs, store, progress, environment)
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename or cache_dir}"
        raise EngineError(f"the requirements cannot be checked: {reason}") from error


def notices(project: Project) -> list[str]:
    """Return what the user should know about a local environment, each a whole sentence.

    What cannot be applied outside an image comes as one notice; requirements that are left out
    have one each.
    """
    build = project.build
    skipped = [
        name
        for name, value in (
            ("system_packages", build.system_packages),
            ("run", build.run or build.pre_install),
            ("cuda", build.cuda),
            ("cudnn", build.cudnn),
            ("base_image", build.base_image),
        )
        if value
    ]
    found: list[str] = []
    if skipped:
        names = ", ".join(f"build.{name}" for name in skipped)
        found.append(
            f"{names} cannot be applied without an image: this machine is used as it is. "
            "With `--engine docker` or `--engine podman` the project runs in a container that has them."
        )
    if build.requirements_file is None or build.requirements_file.suffix != ".toml":
        # Whoever makes the environment gets the error of a bad file, with all its problems.
        with suppress(CogworksError):
            found.extend(read_requirements(project).notices)
    return found
