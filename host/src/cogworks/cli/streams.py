"""The standard streams of the command, made fit for use."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def open_missing_streams() -> None:
    """Open standard streams that were closed, lest a socket gets their numbers and prints land in it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            # Open as long as the process lives.
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def tolerate_encodings() -> None:
    """Let a terminal that cannot show a character show an escape instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def discard_stdout() -> None:
    """Keep the interpreter from complaining about a closed pipe when it flushes at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
