"""What `run`, `serve` and `exec` do before they start anything: the project, then its environment.

The two steps are apart so that a command can check the user's inputs between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogworks.cli.cache_folder import cache_folder
from cogworks.cli.environment import environment_of_model, parse_environment
from cogworks.cli.errors import OptionError
from cogworks.cli.progress import choose_progress
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.lease import Lease
    from cogworks.project import Project
    from cogworks.server.launch import WorkerLaunch
    from cogworks.server.settings import Settings


@dataclass(frozen=True)
class Options:
    """What the shared options said."""

    config_name: str = "cog.yaml"
    environment: Sequence[str] = ()
    python_version: str | None = None
    progress_style: str | None = None
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class Prepared:
    """An environment that is there, and how to start things in it; ``lease`` keeps it from being removed."""

    python: Path
    sdk_tree: Path
    environment: Mapping[str, str]
    lease: Lease

    def launch(self, project: Project, mode: str = "run") -> WorkerLaunch:
        """Return how to start the worker of a project that names a model."""
        from cogworks.server.launch import WorkerLaunch

        ref = project.run if mode == "run" else project.train
        assert ref is not None
        return WorkerLaunch(
            python=self.python,
            sdk_tree=self.sdk_tree,
            project_dir=project.directory,
            ref=ref,
            mode=mode,
            environment=self.environment,
        )


def open_project(state: State, options: Options) -> Project:
    """Return the project of the current folder, after telling what it warns of.

    Raises:
        CogworksError: there is none, or it has problems.
    """
    from cogworks.project import load_project

    project = load_project(Path.cwd(), options.config_name)
    for warning in project.warnings:
        state.console.warning(warning)
    return project


def describe_model(project: Project, state: State, mode: str = "run") -> dict[str, Any]:
    """Return the OpenAPI document of a project, from its source or from COG_OPENAPI_SCHEMA.

    Raises:
        CogworksError: the project names no model, or its source cannot be understood.
    """
    if (project.run if mode == "run" else project.train) is None:
        example = {"run": "run.py:Runner", "train": "train.py:train"}[mode]
        name = project.config_path.name
        raise OptionError(f'{name} has nothing to {mode}. Add a line such as {mode}: "{example}".')
    return describe_modes(project, state)


def describe_modes(
    project: Project, state: State, modes: tuple[str, ...] = ("run", "train")
) -> dict[str, Any]:
    """Return the document of some of a project's modes, from COG_OPENAPI_SCHEMA or the source.

    Raises:
        CogworksError: the project has none of them, or its source cannot be understood.
    """
    given = state.environ.get("COG_OPENAPI_SCHEMA")
    if given:
        return read_document(Path(given))
    from cogworks.schema import describe

    run = project.run if "run" in modes else None
    train = project.train if "train" in modes else None
    return describe(replace(project, run=run, train=train))


def prepare(project: Project, state: State, options: Options) -> Prepared:
    """Make the environment of a project, or find the one made before.

    Raises:
        CogworksError: it cannot be made; the message says why.
    """
    from cogworks.engines.lease import Lease, note_use
    from cogworks.engines.local import ensure_environment, notices
    from cogworks.server.sdk_tree import FOLDER, materialize

    chosen = parse_environment(options.environment, state.environ)
    if options.ignored:
        names = ", ".join(options.ignored)
        state.console.warning(f"no effect with the local engine: {names}")
    for notice in notices(project):
        state.console.warning(notice)
    cache_dir = find_cache_dir(state.environ)
    with closing(choose_progress(options.progress_style, state.environ, state.console)) as progress:
        environment = ensure_environment(
            project,
            cache_dir=cache_dir,
            progress=progress,
            python_version=options.python_version,
            environment=state.environ,
        )
    if environment.is_new:
        keep_within_limits(cache_dir, state.environ)
    lease = environment.lease or Lease(cache_dir)
    lease.claim(cache_dir / FOLDER)
    sdk_tree = materialize(cache_dir)
    note_use(sdk_tree)
    return Prepared(
        python=environment.python,
        sdk_tree=sdk_tree,
        environment=environment_of_model(
            state.environ,
            environment.directory,
            environment.python.parent,
            project.environment,
            chosen,
        ),
        lease=lease,
    )


def server_settings(project: Project, state: State, setup_timeout_s: float) -> Settings:
    """Return the settings of the environment's variables, then cog.yaml, then the options.

    Raises:
        CogworksError: a variable has a wrong value.
    """
    from cogworks.server.settings import Settings

    settings = Settings.from_environment(state.environ)
    return replace(
        settings,
        setup_timeout_s=setup_timeout_s,
        max_concurrency=settings.max_concurrency or project.concurrency_max,
        log_level="debug" if state.console.debug else settings.log_level,
    )


def find_cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of environments and copies: `COG_CACHE_DIR`, else the platform's."""
    return Path(cache_folder(environ))


def keep_within_limits(cache_dir: Path, environ: Mapping[str, str]) -> None:
    """Remove what the cache need not keep any longer, at most once a day; for whoever has just added to it.

    Raises:
        LimitError: a variable that names a limit has a wrong value.
    """
    from cogworks.housekeeping.stamp import is_time

    if is_time(cache_dir):
        from cogworks.housekeeping.daily import sweep_daily
        from cogworks.housekeeping.limits import read_limits

        sweep_daily(cache_dir, read_limits(environ))


def read_document(path: Path, source: str = "COG_OPENAPI_SCHEMA") -> dict[str, Any]:
    """Return an OpenAPI document that the user has given.

    Args:
        source: the variable or option that names it.

    Raises:
        OptionError: it cannot be read, or is no document.
    """
    from cogworks.cli.coercion import NotJson, parse_json
    from cogworks.cli.json_values import is_object

    try:
        document = parse_json(path.read_text("utf-8"))
    except OSError as error:
        raise OptionError(f"{source}: cannot read {path}: {error.strerror}") from error
    except (NotJson, UnicodeDecodeError) as error:
        raise OptionError(f"{source}: {path} {error}") from error
    if not is_object(document):
        raise OptionError(f"{source}: {path} is not an OpenAPI document")
    return document
