"""What a synchronous and an asynchronous prediction have in common."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from typing import Any, Callable, NoReturn, Optional

from cog._bridge.messages import FAILED, Done
from cog._schema.coerce import compile_coercer
from cog._schema.encode import compile_encoder
from cog._schema.errors import InputError, OutputError
from cog._schema.types import AnyType, IteratorType
from cog._worker.channel import Channel
from cog._worker.files import FileInputs, FileOutputs
from cog._worker.loader import Model
from cog._worker.logs import flush_streams, write_error
from cog.errors import CogError

MAX_ERROR_CHARACTERS = 64 * 1024
"""How much of an error's text is handed on."""

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


def final_frame(channel: Channel, done: Done) -> bytes:
    """Encode the end of a prediction; one that cannot be encoded or stored has failed for that reason."""
    try:
        return channel.frame(done)
    except Exception as error:
        reason = f"the output cannot be handed to the server: {describe(error)}"
        return channel.frame(Done(done.id, FAILED, error=reason))


def describe(error: BaseException) -> str:
    """Return the text of an error; with the type in front where the text alone says too little."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as broken:
        return f"{name} (its text cannot be had: {type(broken).__name__} in __str__)"
    if len(text) > MAX_ERROR_CHARACTERS:
        text = f"{text[:MAX_ERROR_CHARACTERS]} [cut: {len(text)} characters]"
    text = text.encode("utf-8", "backslashreplace").decode()
    if isinstance(error, SystemExit) or not text:
        return f"{name}: {text}" if text else name
    return text


def print_traceback(error: BaseException) -> None:
    """Print the traceback of what the author's code raised, whatever it has done to ``sys.stderr``."""
    try:
        text = format_traceback(error).rstrip("\n")
    except Exception:  # An exception whose parts cannot be read.
        text = describe(error)
    write_error(text)


def end_forked_child(error: Optional[BaseException] = None) -> NoReturn:
    """End a process that the model forked and that came back from ``run``: the worker is its parent."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        print_traceback(error)
        code = 1
    flush_streams()
    os._exit(code & 0xFF)


def format_traceback(error: BaseException) -> str:
    """Return the traceback as Python prints it, from the first frame of the author's on.

    What is wrong with inputs and outputs, before and after the author's code, needs none.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and _is_ours(frames):
        frames = frames.tb_next
    if isinstance(error, _OF_VALUES) and (frames is None or _is_ours(frames)):
        return "".join(traceback.format_exception_only(type(error), error))
    return "".join(traceback.format_exception(type(error), error, frames))


_OF_VALUES = (CogError, InputError, OutputError)
"""Errors that say all there is to say."""


def _is_ours(frame: Any) -> bool:
    name = str(frame.tb_frame.f_globals.get("__name__", ""))
    return name.startswith(("cog.", "importlib._bootstrap"))
