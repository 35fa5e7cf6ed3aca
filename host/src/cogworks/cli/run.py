"""`cog run`: one prediction on the terminal, and `cog predict`, its older name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cogworks.cli.live import describe_live_model, schema_option
from cogworks.cli.options import (
    CONTEXT_SETTINGS,
    EngineOptions,
    engine_choice,
    engine_options,
    environment_option,
    file_option,
    global_options,
    python_option,
    setup_timeout_option,
)
from cogworks.cli.outputs import Sink
from cogworks.cli.prediction_call import RUN, Arguments, Mode, read_call
from cogworks.cli.prepare import Options, describe_model, open_project, prepare, server_settings
from cogworks.cli.signals import run_until_stopped
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.server.launch import WorkerLaunch
    from cogworks.server.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

HELP = """Run a prediction of the project in this folder, or of an image.

The inputs are checked first; then the environment is made, if it is not there yet, the model is
set up, and the prediction runs. Results go to stdout, or to files whose paths are told on stderr.
An IMAGE runs in a container of docker or podman, and is pulled if it is not there.

\b
Inputs, with -i NAME=VALUE:
  VALUE          text, a number, true or false, or JSON, as the model's input asks for
  @PATH          a file; @- is stdin
  a URL          a file that the model fetches
  NAME again     one more item of a list
With --json they come as one JSON object, and the result is a JSON object too.

\b
Examples:
  cog run -i prompt="a red bicycle"
  cog run -i image=@photo.jpg -i scale=2 -o out.png
  cog run -i images=@a.png -i images=@b.png
  cog run --json '{"prompt": "a red bicycle"}'
  cat inputs.json | cog run --json -
  cog run registry.example/me/model -i prompt="a red bicycle"
"""


def run_options(function: F) -> F:
    """Add the options of `run`, which `predict` has too."""
    decorators: list[Callable[[Any], Any]] = [
        click.argument("image", required=False),
        click.option(
            "-i",
            "--input",
            "pairs",
            multiple=True,
            metavar="NAME=VALUE",
            help="An input; NAME=@PATH for a file. May be repeated.",
        ),
        click.option(
            "-o",
            "--output",
            metavar="PATH",
            help="File or folder for the result. [default: stdout; output.EXT for files]",
        ),
        click.option(
            "--json",
            "json_text",
            metavar="JSON",
            help="All inputs as a JSON object, @PATH of one, or - for stdin; the result as JSON.",
        ),
        file_option,
        environment_option,
        python_option,
        setup_timeout_option,
        schema_option,
        click.option(
            "--use-replicate-token",
            is_flag=True,
            help="Pass REPLICATE_API_TOKEN to the model, in the prediction's context.",
        ),
        engine_options,
        global_options,
        click.pass_context,
    ]
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


@click.command("run", help=HELP, context_settings=CONTEXT_SETTINGS)
@run_options
def command(context: click.Context, **values: Any) -> None:
    """Run a prediction; the options are described where they are declared."""
    run_model(context, RUN, **values)


@click.command("predict", help=HELP, context_settings=CONTEXT_SETTINGS, hidden=True)
@run_options
def predict_command(context: click.Context, **values: Any) -> None:
    """Run a prediction by the older name."""
    context.ensure_object(State).console.warning('"cog predict" is deprecated, use "cog run"')
    run_model(context, RUN, **values)


def run_model(
    context: click.Context,
    mode: Mode,
    *,
    image: str | None,
    config_name: str,
    environment: tuple[str, ...],
    python_version: str | None,
    progress_style: str | None,
    source: str,
    **values: Any,
) -> None:
    """Check the inputs, make what the model runs in, start it, and show what comes of it."""
    state = context.ensure_object(State)
    choice = engine_choice(context)
    ignored = choice.container_only
    options = Options(config_name, environment, python_version, progress_style, ignored)
    arguments = Arguments(**values)
    if image is not None:
        _check_image(image, choice)
    call = read_call(mode, arguments, state)
    if image is not None:
        from cogworks.cli.container_run import run_image

        run_image(image, call, state, options, choice, arguments.setup_timeout_s, source)
        return
    project = open_project(state, options)
    if not choice.is_local:
        from cogworks.cli.container_run import run_project

        document = describe_model(project, state, mode.name)
        timeout_s = arguments.setup_timeout_s
        run_project(project, document, call, state, options, choice, timeout_s, source)
        return
    prepared = prepare(project, state, options) if source == "live" else None
    if prepared is not None:
        document = describe_live_model(project, state, options, prepared, modes=(mode.name,))
    else:
        document = describe_model(project, state, mode.name)
    request = call.request(document, state)
    prepared = prepared or prepare(project, state, options)
    settings = server_settings(project, state, arguments.setup_timeout_s)
    # One prediction: a second worker would be idle, and one that comes after a death, too late.
    settings = replace(settings, workers=1, max_deaths=1)
    _start_and_predict(
        prepared.launch(project, mode.name),
        settings,
        request.sink,
        state,
        document=document,
        inputs=request.inputs,
        context=call.context,
    )


def _start_and_predict(
    launch: WorkerLaunch, settings: Settings, sink: Sink, state: State, **rest: Any
) -> None:
    """Start the worker before our own libraries are loaded, so that both go on at once."""
    from cogworks.server.process import spawn

    state.console.info("Running setup()...")
    process = spawn(launch, settings.max_concurrency)
    try:
        from cogworks.cli.prediction import Job, predict

        job = Job(launch, settings, processes=[process], **rest)
        run_until_stopped(predict(job, sink, state), hurry=process.kill)
    finally:
        process.end()  # Nothing is left to do, unless this ended before the service owned it.


def _check_image(image: str, choice: EngineOptions) -> None:
    if "=" in image:
        raise click.UsageError(f"Invalid image name '{image}'. Did you forget `-i`?")
    if choice.is_local and choice.is_explicit:
        raise click.UsageError(
            f"the image {image} cannot run with --engine local: it needs docker or podman. "
            "Leave the image out to run the project in this folder."
        )
