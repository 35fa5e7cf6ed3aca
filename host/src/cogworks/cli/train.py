"""`cog train`: one training on the terminal; hidden, because the format is about to drop it."""

from __future__ import annotations

from typing import Any

import click

from cogworks.cli.options import CONTEXT_SETTINGS
from cogworks.cli.prediction_call import TRAIN
from cogworks.cli.run import run_model, run_options
from cogworks.cli.state import State

DEFAULT_OUTPUT = "weights"

HELP = """Run a training.

The options are those of `cog run`; the result goes to a file called weights unless -o says
otherwise.

\b
Examples:
  cog train -i dataset=@photos.zip -o my-weights.tar
"""


@click.command("train", help=HELP, context_settings=CONTEXT_SETTINGS, hidden=True)
@run_options
def command(context: click.Context, **values: Any) -> None:
    """Run a training; the options are described where they are declared."""
    context.ensure_object(State).console.warning(
        "cog train is deprecated, and will be removed in a later version of the format"
    )
    values["output"] = values["output"] or DEFAULT_OUTPUT
    run_model(context, TRAIN, **values)
