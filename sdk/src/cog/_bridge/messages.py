"""Every message of the bridge, and how it is written as a JSON text.

The control channel carries what concerns the worker as a whole, the data channel what concerns
a prediction; each keeps its order. The first message each way (``Init``, ``Hello``) is on the
control channel and carries the protocol version. ``docs/bridge.md`` shows a line of each.

Nobody changes a message once it is made. They are not frozen, as to make a frozen dataclass takes
three times as long, and each prediction has two.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Callable, Optional, Union

SUCCEEDED = "succeeded"
FAILED = "failed"
CANCELED = "canceled"


def _no_context() -> dict[str, str]:
    return {}


def _no_files() -> dict[str, dict[str, Any]]:
    return {}


class MessageError(Exception):
    """A frame is not a message: no JSON object, an unknown type, wrong fields."""


@dataclass
class Init:
    """Server, control, first: load this model and run its setup.

    ``ref`` is ``file.py:Name`` below the working directory, ``mode`` ``run`` or ``train``, ``slots``
    how many predictions may come at once (None: as many as the model says), ``temp_dir`` the
    worker's own folder for temporary files.
    """

    protocol: int
    ref: str
    mode: str
    slots: Optional[int]
    temp_dir: str


@dataclass
class Cancel:
    """Server, control: stop this prediction; unknown and finished ones are ignored."""

    id: str


@dataclass
class Healthcheck:
    """Server, control: run the model's own ``healthcheck``; not asked again before the answer.

    An asynchronous one is canceled after ``timeout_s``.
    """

    timeout_s: float


@dataclass
class Shutdown:
    """Server, control: finish what runs, then exit with status 0."""


@dataclass
class Hello:
    """Worker, control, first: who is speaking; sent before the model is imported."""

    protocol: int
    python: str
    sdk: str


@dataclass
class Ready:
    """Worker, control: setup is done. ``schema`` is the OpenAPI document of the live class.

    ``has_healthcheck`` tells whether the model has a ``healthcheck`` to be asked for.
    """

    slots: int
    is_async: bool
    schema: Optional[dict[str, Any]] = None
    has_healthcheck: bool = False


@dataclass
class HealthcheckResult:
    """Worker, control, once a ``Healthcheck``: ``error`` is None if the model is well."""

    error: Optional[str] = None


@dataclass
class SetupFailed:
    """Worker, control: the model cannot be served; the worker exits after it."""

    error: str


@dataclass
class Predict:
    """Server, data: run one prediction; ``input`` is as the client sent it, after validation.

    ``files`` maps each token that stands in ``input`` for an uploaded file to ``{"path", "name"}``.
    """

    id: str
    input: dict[str, Any]
    context: dict[str, str] = field(default_factory=_no_context)
    files: dict[str, dict[str, Any]] = field(default_factory=_no_files)


@dataclass
class Output:
    """Worker, data: item ``index`` of an output that comes piece by piece.

    ``files`` maps each token that stands in ``value`` for a file to ``{"path", "name", "remove"}``.
    """

    id: str
    index: int
    value: Any
    files: dict[str, dict[str, Any]] = field(default_factory=_no_files)


@dataclass
class Log:
    """Worker, data: text that one of several concurrent predictions printed."""

    id: str
    source: str
    text: str


@dataclass
class Metric:
    """Worker, data: a measurement of the model's own; ``mode`` as in ``cog.metrics``."""

    id: str
    name: str
    value: Any
    mode: str


@dataclass
class Done:
    """Worker, data, once a prediction and its last: how it ended.

    ``status`` is ``succeeded``, ``failed`` or ``canceled``; ``output`` the value if it did not come
    piece by piece; ``streamed`` tells which (a streamed output may be empty).
    """

    id: str
    status: str
    output: Any = None
    error: Optional[str] = None
    streamed: bool = False
    files: dict[str, dict[str, Any]] = field(default_factory=_no_files)


@dataclass
class Spilled:
    """Either, either: the message is in the file at ``path``; its reader removes it."""

    path: str


Message = Union[
    Init,
    Cancel,
    Healthcheck,
    Shutdown,
    Hello,
    Ready,
    HealthcheckResult,
    SetupFailed,
    Predict,
    Output,
    Log,
    Metric,
    Done,
    Spilled,
]

TYPES: dict[str, Any] = {
    "init": Init,
    "cancel": Cancel,
    "healthcheck": Healthcheck,
    "shutdown": Shutdown,
    "hello": Hello,
    "ready": Ready,
    "healthcheck_result": HealthcheckResult,
    "setup_failed": SetupFailed,
    "predict": Predict,
    "output": Output,
    "log": Log,
    "metric": Metric,
    "done": Done,
    "spilled": Spilled,
}
"""The name of each message on the wire."""


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


_LAYOUT = {
    cls: (name, tuple((item.name, _default(item)) for item in fields(cls)))
    for name, cls in TYPES.items()
}

_write = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_read = json.JSONDecoder().decode


def dumps(value: Any) -> bytes:
    """Write JSON on one line, in UTF-8.

    Raises:
        ValueError: NaN, an infinity, or half of a surrogate pair.
        TypeError: something that JSON lacks.
    """
    return _write(value).encode()


def loads(text: bytes) -> Any:
    """Read JSON in UTF-8; ``json.loads`` would look for other encodings first.

    Raises:
        ValueError: it is none.
    """
    return _read(text.decode())


def encode(message: Message, dumps: Callable[[Any], bytes] = dumps) -> bytes:
    r"""Write a message as one frame, its newline included; fields at their default are left out.

    Args:
        dumps: writes a JSON value on one line; a faster one may be given.

    Example: ``encode(Cancel("p1")) == b'{"type":"cancel","id":"p1"}\n'``
    """
    name, layout = _LAYOUT[type(message)]
    data = {"type": name}
    for key, default in layout:
        value = getattr(message, key)
        if value != default:
            data[key] = value
    return dumps(data) + b"\n"


def decode(line: bytes, loads: Callable[[bytes], Any] = loads) -> Message:
    """Read one frame.

    Raises:
        MessageError: it is not JSON, or no message of this protocol.
    """
    try:
        data = loads(line)
        message: Message = TYPES[data.pop("type")](**data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MessageError(f"not a message of the bridge ({error}): {line[:80]!r}") from error
    return message
