"""The server's log on standard error: JSON lines for machines, plain lines for people."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

from cogworks.errors import CogworksError

if TYPE_CHECKING:
    from cogworks.server.dispatch import LogLine

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


PREDICTION = re.compile(r"\bprediction=(\S+)")
"""How messages name the prediction that they are about."""


class LogSettingError(CogworksError):
    """LOG_FORMAT or COG_LOG_LEVEL is none of the known ones."""


class JsonFormatter(logging.Formatter):
    """One object a line: ``time``, ``level``, ``logger``, ``message``, and ``exception`` if any.

    The ``fields`` of a record (``extra={"fields": ...}``) are added; a ``prediction=...`` in a
    message becomes one too, so that every line about a prediction is found by its id.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        message = record.getMessage()
        data = _line(record.created, record.levelname.lower(), record.name, message)
        fields: dict[str, Any] | None = record.__dict__.get("fields")
        if fields is not None:
            data.update(fields)
        elif found := PREDICTION.search(message):
            data["prediction"] = found[1]
        if record.exc_info:
            data["exception"] = self.formatException(record.exc_info)
        return _encode(data).decode()


class JsonHandler(logging.StreamHandler[TextIO]):
    """Writes lines of JSON to standard error."""

    def __init__(self) -> None:
        """Take standard error as it is now."""
        super().__init__(sys.stderr)
        self.setFormatter(JsonFormatter())

    def write(self, logger: str, message: str, fields: Mapping[str, Any]) -> None:
        """Write what a record at INFO would come to."""
        data = {**_line(time.time(), "info", logger, message), **fields}
        # As with records: who reads the log, or does not any more, is nothing to a prediction.
        with suppress(OSError, ValueError):
            self.stream.buffer.write(_encode(data) + b"\n")
            self.stream.buffer.flush()


def info(logger: logging.Logger, message: str, fields: Mapping[str, Any]) -> None:
    """Log at INFO, which has to be enabled, quickly where nobody but our own handler listens.

    A record, and what it goes through, takes three times as long as the line; with two lines for each prediction that shows.
    """
    handlers = logging.root.handlers
    if len(handlers) == 1 and isinstance(handlers[0], JsonHandler):
        handlers[0].write(logger.name, message, fields)
    else:
        logger.info(message, extra={"fields": fields})


class ConsoleFormatter(logging.Formatter):
    """``LEVEL message key=value ...``, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        fields: dict[str, Any] = record.__dict__.get("fields", {})
        # What a terminal shows is one line, whatever an error's text holds.
        shown = "".join(f" {key}={' '.join(str(value).split())}" for key, value in fields.items())
        head, newline, rest = super().format(record).partition("\n")
        return f"{record.levelname} {head}{shown}{newline}{rest}"


def configure(log_format: str, log_level: str) -> None:
    """Set up logging of the whole process; called by entry points only.

    Raises:
        LogSettingError: unknown format or level.
    """
    level = LEVELS.get(log_level.lower())
    if level is None:
        raise LogSettingError(
            f'COG_LOG_LEVEL="{log_level[:80]}": expected one of {", ".join(LEVELS)}'
        )
    if log_format not in ("json", "console", "development"):
        raise LogSettingError(f'LOG_FORMAT="{log_format[:80]}": expected json or console')
    # No line tells these, and to find them out takes half the time of a line. Source: Python's
    # "Logging HOWTO", section "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler: logging.Handler = JsonHandler()
    if log_format != "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(ConsoleFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class ModelLog:
    """Passes on what the model prints: as it is for people, a JSON object a line for machines."""

    def __init__(
        self, log_format: str, find_trace: Callable[[str], Mapping[str, str]] | None = None
    ) -> None:
        """Choose how to write; ``find_trace`` returns what to add for a prediction's id."""
        self._as_json = log_format == "json"
        self._find_trace = find_trace
        self._unfinished: dict[tuple[str | None, str], str] = {}

    def write(self, line: LogLine) -> None:
        """Write the lines that ``line`` completes."""
        if not self._as_json:
            sys.stderr.write(line.text)
            sys.stderr.flush()
            return
        key = (line.prediction_id, line.source)
        *whole, rest = (self._unfinished.pop(key, "") + line.text).split("\n")
        if len(rest) > MAX_LINE_CHARACTERS:
            whole.append(rest)
        elif rest:
            self._unfinished[key] = rest
        if whole:
            self._write_json(line, whole)
        while len(self._unfinished) > MAX_UNFINISHED:
            self._unfinished.pop(next(iter(self._unfinished)))

    def _write_json(self, line: LogLine, texts: list[str]) -> None:
        """Write lines of one prediction by one system call: a model may print a million of them."""
        data = _line(time.time(), "info", "model", "")
        data["source"] = line.source
        if line.prediction_id is not None:
            data["prediction"] = line.prediction_id
            if self._find_trace is not None:
                data.update(self._find_trace(line.prediction_id))
        encoded: list[bytes] = []
        for text in texts:
            data["message"] = text
            encoded += (_encode(data), b"\n")
        sys.stderr.buffer.write(b"".join(encoded))
        sys.stderr.buffer.flush()


def _line(at: float, level: str, logger: str, message: str) -> dict[str, Any]:
    """Return what every line has."""
    return {"time": _iso_time(at), "level": level, "logger": logger, "message": message}


def _iso_time(at: float) -> str:
    seconds = int(at)
    return f"{_iso_second(seconds)}.{int((at - seconds) * 1000):03d}+00:00"


@lru_cache(maxsize=8)
def _iso_second(seconds: int) -> str:
    """Write a second in UTC; kept, as many lines are written in the same one."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


MAX_LINE_CHARACTERS = 64 * 1024
"""Where a line that does not end is cut."""

MAX_UNFINISHED = 1024
"""Unfinished lines that are kept for later, over all predictions."""


def _encode(data: Any) -> bytes:
    # Loaded with the first line: the log is there before the worker is started, and that comes first.
    from msgspec import json

    return json.encode(data)
