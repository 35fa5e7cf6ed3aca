"""What a user's call of `cog run` or `cog train` asks of a model, wherever that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from cogworks.cli.errors import InputError
from cogworks.cli.input_schema import InputSchema, Schema, read_input_schema
from cogworks.cli.inputs import Pair, inputs_from_json, inputs_from_pairs, parse_pairs
from cogworks.cli.output_files import Target, resolve_target
from cogworks.cli.outputs import Sink, choose_sink
from cogworks.cli.state import State


@dataclass(frozen=True)
class Mode:
    """Which of a project's two models runs, and how the OpenAPI document calls its schemas."""

    name: str
    input_component: str
    output_component: str
    path: str
    command: tuple[str, ...] = ()
    """What a container runs instead of its image's command."""


RUN = Mode("run", "Input", "Output", "/predictions")
TRAIN = Mode(
    "train",
    "TrainingInput",
    "TrainingOutput",
    "/trainings",
    ("python", "-m", "cog.server.http", "--x-mode", "train"),
)


@dataclass(frozen=True)
class Arguments:
    """What the options of `run` said, beside those that several commands share."""

    pairs: tuple[str, ...]
    json_text: str | None
    output: str | None
    use_replicate_token: bool
    setup_timeout_s: float


@dataclass(frozen=True)
class Request:
    """What is asked of a model, and where its answer goes.

    Attributes:
        is_iterator: the output comes in items.
    """

    inputs: Mapping[str, Any]
    sink: Sink
    is_iterator: bool


@dataclass(frozen=True)
class PredictionCall:
    """A call, checked as far as it can be without the model's document."""

    mode: Mode
    pairs: list[Pair]
    json_text: str | None
    target: Target
    context: Mapping[str, str]

    def request(self, document: Schema, state: State) -> Request:
        """Return what the call means to a model that the document describes.

        Raises:
            InputError: the inputs do not fit; all problems at once.
            OptionError: the output cannot be written where it should go.
        """
        schema = read_input_schema(document, self._input_component(document))
        if self.json_text is not None:
            inputs = inputs_from_json(self.json_text, schema)
        else:
            inputs = inputs_from_pairs(self.pairs, schema)
        output = _output_schema(schema, self.mode.output_component)
        sink = choose_sink(output, self.target, state.console, as_json=self.json_text is not None)
        return Request(inputs, sink, output.get("x-cog-array-type") == "iterator")

    def describes_inputs(self, document: Schema) -> bool:
        """Return whether the inputs can be checked against a document."""
        return bool(read_input_schema(document, self._input_component(document)).properties)

    def _input_component(self, document: Schema) -> str:
        """Return the component of the inputs; old images have that of the prediction alone."""
        components = document.get("components", {}).get("schemas", {})
        name = self.mode.input_component
        return name if name in components else RUN.input_component


def read_call(mode: Mode, arguments: Arguments, state: State) -> PredictionCall:
    """Return what the options mean.

    Raises:
        CogworksError: an input has no `=`, the output cannot be written, the token is not there.
    """
    if arguments.json_text is not None and arguments.pairs:
        raise click.UsageError("--json and -i cannot be used together")
    return PredictionCall(
        mode,
        parse_pairs(arguments.pairs),
        arguments.json_text,
        resolve_target(arguments.output),
        _context(arguments, state),
    )


def _output_schema(schema: InputSchema, component: str) -> Schema:
    """Return the schema of the output; one that other tools wrote may refer to another component."""
    found = schema.components.get(component, {})
    alternatives = schema.alternatives(found)
    return alternatives[0] if len(alternatives) == 1 else found


def _context(arguments: Arguments, state: State) -> dict[str, str]:
    if not arguments.use_replicate_token:
        return {}
    token = state.environ.get("REPLICATE_API_TOKEN")
    if not token:
        raise InputError(["--use-replicate-token needs the variable REPLICATE_API_TOKEN to be set"])
    return {"replicate_api_token": token}
