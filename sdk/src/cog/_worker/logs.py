"""What the model prints.

The server owns the other ends of descriptors 1 and 2 and reads them itself: nothing that C code,
a child process or a dying worker writes is lost, and no lock of this process is in the way. Here
it only matters that Python's own streams arrive in time, and, where several predictions run at
once, under the right name.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import os
import sys
from typing import Any, Callable, Optional

MAX_UNFINISHED_CHARACTERS = 64 * 1024
"""How much of a line is kept until its end comes; what is longer is sent piece by piece."""

Emit = Callable[[str, str, str], None]
"""Takes prediction id, ``stdout`` or ``stderr``, and text."""

current_prediction: contextvars.ContextVar[Optional[str]] = contextvars.ContextVar(
    "current_prediction", default=None
)
"""The prediction that the running task or thread works for, where several run at once."""


def make_streams_live() -> None:
    """Let each printed line reach the server at once, whatever the locale says of encodings."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def write_error(text: str) -> None:
    """Write a line on standard error, whatever the model has made of its stream."""
    try:
        print(text, file=sys.stderr, flush=True)
    except Exception:  # Closed, or replaced by something that cannot write.
        with contextlib.suppress(OSError):
            os.write(2, text.encode("utf-8", "backslashreplace") + b"\n")


def flush_streams() -> None:
    """Push out an unfinished line; whatever the model put in the place of the streams is tried."""
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - this runs for each prediction; a context manager costs more than the flush
            stream.flush()
        except Exception:
            pass  # Closed or replaced by the model: then there is nothing of ours to flush.


class AttributedStream(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr`` while several predictions run at once.

    Text written on behalf of a prediction goes to ``emit``, whole lines at a time; the rest goes
    to the original stream. What is not of the text interface (``buffer``, ``fileno``) is the
    original's.
    """

    def __init__(self, original: Any, source: str, emit: Emit) -> None:
        """Wrap ``original``; ``source`` is its name on the bridge."""
        self._original = original
        self._source = source
        self._emit = emit
        self._unfinished: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Send the lines that ``text`` completes, keep the rest for later."""
        prediction = current_prediction.get()
        if prediction is None:
            self._original.write(text)
            return len(text)
        text = self._unfinished.pop(prediction, "") + text
        lines, newline, rest = text.rpartition("\n")
        if newline:
            self._emit(prediction, self._source, lines + newline)
        if len(rest) > MAX_UNFINISHED_CHARACTERS:
            self._emit(prediction, self._source, rest)
        elif rest:
            self._unfinished[prediction] = rest
        return len(text)

    def finish(self, prediction: str) -> None:
        """Send what a prediction that ends left without a newline."""
        rest = self._unfinished.pop(prediction, "")
        if rest:
            self._emit(prediction, self._source, rest)

    def flush(self) -> None:
        """Send the unfinished line of the current prediction, if any."""
        prediction = current_prediction.get()
        if prediction is None:
            self._original.flush()
        else:
            self.finish(prediction)

    def fileno(self) -> int:
        """Return the original's descriptor, which child processes inherit."""
        return int(self._original.fileno())

    def isatty(self) -> bool:
        """Tell that nobody watches."""
        return False

    def writable(self) -> bool:
        """Tell that text may be written."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the original's encoding."""
        return str(self._original.encoding)

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Return what the original does with what it cannot encode."""
        return str(self._original.errors)

    @property
    def name(self) -> str:
        """Return the original's name."""
        return str(self._original.name)

    @property
    def buffer(self) -> Any:
        """Return the original's byte stream: bytes have no owner that could be known."""
        return self._original.buffer


def attribute_streams(emit: Emit) -> tuple[AttributedStream, AttributedStream]:
    """Put attributed streams in the place of ``sys.stdout`` and ``sys.stderr``; return them."""
    stdout = AttributedStream(sys.stdout, "stdout", emit)
    stderr = AttributedStream(sys.stderr, "stderr", emit)
    sys.stdout, sys.stderr = stdout, stderr
    return stdout, stderr
