"""What a synchronous and an asynchronous prediction have in common."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any, Callable

from cog._bridge.messages import FAILED, Done
from cog._schema.coerce import compile_coercer
from cog._schema.encode import compile_encoder
from cog._schema.types import AnyType, IteratorType
from cog._worker.files import FileInputs, FileOutputs
from cog._worker.loader import Model

Encode = Callable[[Any, Callable[[Any], Any]], Any]


@dataclass(frozen=True)
class Plan:
    """All that can be worked out once a model: how inputs are made and outputs written.

    ``encode`` is for a value that comes at once, ``encode_item`` for one that comes among others.
    """

    model: Model
    coerce: Callable[[dict[str, Any]], dict[str, Any]]
    inputs: FileInputs
    encode: Encode
    encode_item: Encode
    always_streams: bool
    temp_dir: str

    def outputs(self) -> FileOutputs:
        """Return a collector for the files of one message."""
        return FileOutputs(self.temp_dir)


def plan(model: Model, temp_dir: str) -> Plan:
    """Prepare everything that predictions of ``model`` share."""
    output = model.signature.output
    streams = isinstance(output, IteratorType)
    item = output.item if isinstance(output, IteratorType) else AnyType()
    encode_item = compile_encoder(item)
    return Plan(
        model,
        compile_coercer(model.signature),
        FileInputs(model.signature),
        encode_item if streams else compile_encoder(output),
        encode_item,
        streams,
        temp_dir,
    )


def failure(prediction_id: str, error: BaseException) -> Done:
    """Describe the end of a prediction whose code raised ``error``."""
    return Done(prediction_id, FAILED, error=describe(error))


def describe(error: BaseException) -> str:
    """Return the text of an error; with the type in front where the text alone says too little."""
    text = str(error)
    if isinstance(error, SystemExit) or not text:
        name = type(error).__name__
        return f"{name}: {text}" if text else name
    return text


def format_traceback(error: BaseException) -> str:
    """Return the traceback as Python prints it, without the frames of this package."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and _is_ours(frames):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _is_ours(frame: Any) -> bool:
    return str(frame.tb_frame.f_globals.get("__name__", "")).startswith("cog._")
