"""`cog serve`: the model behind its HTTP API, on this machine."""

from __future__ import annotations

from dataclasses import replace

import click

from cogworks.cli.options import (
    CONTEXT_SETTINGS,
    engine_choice,
    engine_options,
    environment_option,
    file_option,
    global_options,
    python_option,
    setup_timeout_option,
    web_url,
)
from cogworks.cli.prepare import Options, describe_model, open_project, prepare, server_settings
from cogworks.cli.signals import terminate_on_hangup
from cogworks.cli.state import State

HELP = """Serve the model over HTTP.

The server listens at once, and answers predictions when setup() is over; Ctrl-C ends it.

\b
Examples:
  cog serve
  cog serve -p 5000 --host 0.0.0.0
  cog serve --reload
  curl localhost:8393/predictions --json '{"input": {"prompt": "hello"}}'
"""


@click.command("serve", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    default=8393,
    show_default=True,
    help="Port to listen on; 0 for a free one, which is printed.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; 0.0.0.0 for all of this machine's.",
)
@click.option(
    "--store",
    metavar="URL",
    help="Where finished predictions are kept; sqlite:///FILE outlives the server. "
    "[default: COG_STORE, or memory:]",
)
@click.option(
    "--upload-url",
    metavar="URL",
    callback=web_url,
    help="Where output files are sent by PUT, each below this URL. "
    "[default: COG_UPLOAD_URL; without it, they are data URLs]",
)
@click.option("--reload", is_flag=True, help="Restart the model when the project's files change.")
@file_option
@environment_option
@python_option
@setup_timeout_option
@engine_options
@global_options
@click.pass_context
def command(
    context: click.Context,
    port: int,
    host: str,
    store: str | None,
    upload_url: str | None,
    reload: bool,
    config_name: str,
    environment: tuple[str, ...],
    python_version: str | None,
    setup_timeout_s: float,
    progress_style: str | None,
) -> None:
    """Serve the model over HTTP until Ctrl-C."""
    state = context.ensure_object(State)
    choice = engine_choice(context)
    ignored = choice.container_only
    options = Options(config_name, environment, python_version, progress_style, ignored)
    project = open_project(state, options)
    document = describe_model(project, state)
    if not choice.is_local:
        from cogworks.cli.container_serve import Serving, serve_project

        serving = Serving(host, port, store, upload_url, reload, setup_timeout_s)
        context.exit(serve_project(project, document, serving, state, options, choice))
    prepared = prepare(project, state, options)

    from cogworks.server.serve import serve

    settings = server_settings(project, state, setup_timeout_s)
    settings = replace(
        settings,
        host=host,
        port=port,
        workers=settings.workers if "COG_WORKERS" in state.environ else project.workers or 1,
        store=store or settings.store,
        upload_url=upload_url or settings.upload_url,
        log_format=state.environ.get("LOG_FORMAT") or "console",
    )
    terminate_on_hangup()
    code = serve(
        settings,
        prepared.launch(project),
        document,
        reload_paths=project.directory if reload else None,
        announce=lambda url: state.console.info(f"Serving at {url}"),
    )
    context.exit(code)
