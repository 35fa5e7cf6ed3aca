"""`cog check`: everything that is wrong with a project, without building it; what a CI runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cogworks.cli.errors import CheckFailed
from cogworks.cli.findings import Finding, Severity, count_findings, has_errors, sort_findings
from cogworks.cli.live import TIMEOUT_S, describe_live_model, schema_option
from cogworks.cli.options import (
    CONTEXT_SETTINGS,
    environment_option,
    file_option,
    global_options,
    progress_option,
)
from cogworks.cli.prepare import Options, find_cache_dir, prepare
from cogworks.cli.progress import choose_progress
from cogworks.cli.state import State
from cogworks.errors import CogworksError

if TYPE_CHECKING:
    from cogworks.project import Examined, Project

HELP = """Check the project without building it.

Looks at cog.yaml, the signatures of the model and of the training, the requirements, and the
files that are named, and reports every problem at once. Nothing of the model is run. The exit
code is 1 if there are errors.

\b
Examples:
  cog check
  cog check --no-resolve                no package index is asked
  cog check --strict --format github    in a workflow
  cog check --format json | jq '.[].message'
  cog check --schema live               import the model too, in a sandbox
"""


@click.command("check", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of GitHub Actions.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option(
    "--no-resolve",
    "--offline",
    "no_resolve",
    is_flag=True,
    help="Do not ask the package index whether the requirements can be resolved.",
)
@schema_option
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="Longest time for importing the model, with --schema live.",
)
@file_option
@environment_option
@progress_option
@global_options
@click.pass_obj
def command(
    state: State,
    style: str,
    strict: bool,
    no_resolve: bool,
    source: str,
    timeout_s: float,
    config_name: str,
    environment: tuple[str, ...],
    progress_style: str | None,
) -> None:
    """Check the project in this folder."""
    from cogworks.project import examine_project

    options = Options(config_name, environment, progress_style=progress_style)
    examined = examine_project(Path.cwd(), config_name)
    found = list(_find(examined, is_static=source == "static"))
    found += _import_findings(state, config_name)
    if not no_resolve and not any(each.code == "requirements" for each in found):
        found += _resolution_findings(examined.known, state, progress_style)
    if source == "live" and not has_errors(found):
        found += _live_findings(examined.known, state, options, timeout_s)
    findings = sort_findings(found)
    _print(findings, style, examined.known, state)
    if has_errors(findings) or (strict and findings):
        raise CheckFailed(count_findings(findings))
    counted = count_findings(findings)
    state.console.info(f"No errors ({counted})" if counted else "No problems found")


def _find(examined: Examined, *, is_static: bool) -> Iterator[Finding]:
    """Find what needs neither network nor environment."""
    from cogworks.cli.project_findings import (
        config_findings,
        gpu_findings,
        name_findings,
        reference_findings,
        requirement_findings,
        schema_findings,
        weight_findings,
    )

    yield from config_findings(examined)
    yield from name_findings(examined.known)
    named = {"run", "predict", "train"} & {problem.key for problem in examined.problems}
    if not named and (examined.known.lines or not examined.problems):
        yield from reference_findings(examined.known)
    if is_static:
        yield from schema_findings(examined.known)
    yield from requirement_findings(examined.known)
    if not examined.problems:
        yield from gpu_findings(examined.known)
    yield from weight_findings(examined.known)


def _import_findings(state: State, config_name: str) -> Iterator[Finding]:
    """Find imports that fail when the model starts; `cog doctor --fix` removes them."""
    from cogworks.cli.checkup.check import Context
    from cogworks.cli.checkup.python_checks import find_removed_imports

    context = Context(Path.cwd(), config_name, state.environ, find_cache_dir(state.environ))
    yield from find_removed_imports(context).findings


def _resolution_findings(
    project: Project, state: State, progress_style: str | None
) -> Iterator[Finding]:
    """Find requirements that do not exist or do not fit together; an index may have to be asked."""
    from cogworks.cli.project_findings import resolution_findings
    from cogworks.engines.errors import IndexUnreachableError
    from cogworks.engines.local import check_requirements
    from cogworks.project import RequirementsError

    with closing(choose_progress(progress_style, state.environ, state.console)) as progress:
        try:
            check_requirements(
                project,
                cache_dir=find_cache_dir(state.environ),
                progress=progress,
                environment=state.environ,
            )
        except IndexUnreachableError as error:
            hint = "Use --no-resolve where there is no network."
            yield Finding(str(error), "requirements-unknown", Severity.WARNING, hint=hint)
        except RequirementsError:
            return  # Each of its problems is a finding already.
        except CogworksError as error:
            yield from resolution_findings(project, error)


def _live_findings(
    project: Project, state: State, options: Options, timeout_s: float
) -> Iterator[Finding]:
    """Find what keeps the model from being imported in its environment."""
    from cogworks.engines.errors import LiveSchemaError

    try:
        prepared = prepare(project, state, options)
        describe_live_model(
            project, state, options, prepared, modes=("run", "train"), timeout_s=timeout_s
        )
    except LiveSchemaError as error:
        file = (project.run or project.train or "").partition(":")[0]
        yield Finding(error.reason, "schema-live", file=file, hint=error.advice)
    except CogworksError as error:
        yield Finding(str(error), "environment")


def _print(findings: list[Finding], style: str, project: Project, state: State) -> None:
    from cogworks.cli.finding_formats import render_github, render_json, render_text

    if style == "json":
        text = render_json(findings)
    elif style == "github":
        text = render_github(findings, project.directory, state.environ)
    else:
        text = render_text(findings)
    click.echo(text, nl=False, color=None if state.console.color else False)
