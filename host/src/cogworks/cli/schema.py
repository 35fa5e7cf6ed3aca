"""`cog schema`: what the model takes and gives, as an OpenAPI document or as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cogworks.cli.errors import OptionError, OutputError
from cogworks.cli.live import TIMEOUT_S, describe_live_model, schema_option
from cogworks.cli.options import (
    CONTEXT_SETTINGS,
    environment_option,
    file_option,
    global_options,
    progress_option,
    python_option,
)
from cogworks.cli.prepare import Options, describe_modes, open_project, prepare
from cogworks.cli.state import State

HELP = """Print the model's OpenAPI schema.

It is read from the source; nothing is started. With --schema live the model is imported in its
own environment instead, in a sandbox and without setup(), for what the source cannot tell.

\b
Examples:
  cog schema                            the OpenAPI document, as JSON
  cog schema --format table             inputs and output, for people
  cog schema -o openapi.json
  cog schema --schema live --timeout 120
  diff <(cog schema) <(cog schema --schema live)
  cog schema --config -o cog.schema.json   what may stand in cog.yaml, for editors
"""


@click.command("schema", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.option(
    "--format",
    "style",
    type=click.Choice(["json", "table"]),
    default="json",
    show_default=True,
    help="The whole document, or a table of inputs.",
)
@click.option(
    "--mode",
    type=click.Choice(["all", "run", "train"]),
    default="all",
    show_default=True,
    help="Which of cog.yaml's models to describe.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of stdout.")
@click.option(
    "--config",
    "of_config",
    is_flag=True,
    help="Print the JSON Schema of cog.yaml instead; no project is needed.",
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
@python_option
@progress_option
@global_options
@click.pass_obj
def command(
    state: State,
    style: str,
    mode: str,
    output: str | None,
    of_config: bool,
    source: str,
    timeout_s: float,
    config_name: str,
    environment: tuple[str, ...],
    python_version: str | None,
    progress_style: str | None,
) -> None:
    """Print the schema of the project in this folder."""
    if of_config:
        if style == "table":
            raise click.UsageError("--config prints JSON; --format table is for models")
        _print(_config_text(), output, state)
        return
    options = Options(config_name, environment, python_version, progress_style)
    project = open_project(state, options)
    modes = ("run", "train") if mode == "all" else (mode,)
    if source == "live":
        prepared = prepare(project, state, options)
        document = describe_live_model(
            project, state, options, prepared, modes=modes, timeout_s=timeout_s
        )
    else:
        document = describe_modes(project, state, modes)
    _print(_render(document, style, state), output, state)


def _config_text() -> str:
    from cogworks.project.config_schema import config_schema

    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _print(text: str, output: str | None, state: State) -> None:
    if output is None:
        click.echo(text, nl=False, color=state.console.color)
    else:
        _write(Path(output), text, state)


def _render(document: dict[str, Any], style: str, state: State) -> str:
    if style == "json":
        # Sorted, as the format has it: two versions of a document can be compared line by line.
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    from cogworks.cli.schema_table import read_sections, render

    sections = read_sections(document)
    if not sections:
        raise OptionError("the document describes no inputs")
    return render(sections, color=state.console.color)


def _write(path: Path, text: str, state: State) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    state.console.info(f"Written output to: {path}")
