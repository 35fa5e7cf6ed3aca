"""`--schema live`: the document from the model's own environment instead of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cogworks.cli.environment import parse_environment
from cogworks.cli.errors import OptionError
from cogworks.cli.options import F
from cogworks.cli.prepare import Options, Prepared
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.project import Project

TIMEOUT_S = 60.0
"""Importing a large framework from a cold disk takes half a minute."""


def schema_option(function: F) -> F:
    """Add `--schema`."""
    return click.option(
        "--schema",
        "source",
        type=click.Choice(["static", "live"]),
        default="static",
        show_default=True,
        help="Read the model's source, or import the model in its environment, in a sandbox.",
    )(function)


def describe_live_model(
    project: Project,
    state: State,
    options: Options,
    prepared: Prepared,
    *,
    modes: tuple[str, ...],
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Import the model in its environment and return its OpenAPI document.

    Raises:
        CogworksError: it cannot be imported, or is no model.
    """
    from cogworks.engines.live import describe_live
    from cogworks.engines.sandbox import find_isolation
    from cogworks.schema.description import check_concurrency

    named = {"run": project.run, "train": project.train}
    refs = {mode: ref for mode in modes if (ref := named[mode]) is not None}
    if not refs:
        raise OptionError(f"{project.config_path.name} has no {' or '.join(modes)}.")
    isolation = find_isolation()
    if not isolation.has_no_network:
        state.console.info("The model is imported with network access: this system cannot deny it.")
    model, printed = describe_live(
        refs,
        python=prepared.python,
        sdk_tree=prepared.sdk_tree,
        directory=project.directory,
        environment=_needed_variables(project, state, options, prepared),
        timeout_s=timeout_s,
        isolation=isolation,
    )
    if state.console.debug and printed:
        click.echo(printed, err=True, nl=not printed.endswith("\n"))
    if "run" in refs:
        check_concurrency(model.is_async, project)
    return model.document


def _needed_variables(
    project: Project, state: State, options: Options, prepared: Prepared
) -> dict[str, str]:
    """Return the variables that the model is given on purpose, and those that any program needs."""
    from cogworks.engines.sandbox import PASSED_ON

    given = parse_environment(options.environment, state.environ)
    names = {*PASSED_ON, "VIRTUAL_ENV", *given, *(name for name, _ in project.environment)}
    return {name: value for name, value in prepared.environment.items() if name in names}
