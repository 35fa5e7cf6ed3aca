"""The document of a model from its live classes: its module is imported in its own environment.

Static analysis is the usual way. This one is for what source text cannot tell, such as choices
that a function computes. The module runs in the sandbox of ``sandbox.py``; ``setup()`` does not.
"""

from __future__ import annotations

import errno
import json
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cogworks._version import __version__
from cogworks.engines.errors import LiveSchemaError
from cogworks.engines.sandbox import Ended, Isolation, run_sandboxed

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""A document of a thousand inputs has half a MiB."""
SHOWN_LINES = 10
"""How much of what the module printed last is repeated in an error."""
MAX_FILES = 4096
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_DATA_BYTES = 32 * 1024**3
"""Of memory that it may write: frameworks reserve far more than they use."""
CPU_FACTOR = 8
"""Seconds of processor time for each second of the time limit: imports use several threads."""


@dataclass(frozen=True, slots=True)
class LiveModel:
    """What the module told: the document, and whether its ``run`` is async."""

    document: dict[str, Any]
    is_async: bool


def describe_live(
    refs: Mapping[str, str],
    *,
    python: Path,
    sdk_tree: Path,
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    isolation: Isolation,
) -> tuple[LiveModel, str]:
    """Return the model that the references name, and what its import printed.

    Args:
        refs: ``run`` and ``train``, as in cog.yaml.
        environment: all variables that the process gets.

    Raises:
        LiveSchemaError: the module cannot be imported, or is no model.
        OSError: the interpreter cannot be started.
    """
    with tempfile.TemporaryFile() as answer:
        request = {
            "refs": dict(refs),
            "version": __version__,
            "fd": answer.fileno(),
            "limits": _limits(timeout_s),
        }
        ended = run_sandboxed(
            [str(python), str(sdk_tree), "--describe", json.dumps(request)],
            directory=directory,
            environment=environment,
            timeout_s=timeout_s,
            isolation=isolation,
            descriptors=[answer.fileno()],
        )
        answer.seek(0)
        text = answer.read(MAX_ANSWER_BYTES + 1)
    values = _parse(text)
    if values is None:
        raise LiveSchemaError(_why_it_ended(ended, refs, timeout_s), printed=ended.printed)
    if "error" in values:
        raise _error(values["error"], refs, isolation, ended)
    return LiveModel(values["document"], bool(values["is_async"])), ended.printed


def _limits(timeout_s: float) -> dict[str, int]:
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": max(1, round(timeout_s * CPU_FACTOR)),
        "RLIMIT_DATA": MAX_DATA_BYTES,
        "RLIMIT_FSIZE": MAX_FILE_BYTES,
        "RLIMIT_NOFILE": MAX_FILES,
    }


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        values: object = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", values) if isinstance(values, dict) else None


def _why_it_ended(ended: Ended, refs: Mapping[str, str], timeout_s: float) -> str:
    files = _files(refs)
    last = last_lines(ended.printed)
    if ended.code is None:
        reason = (
            f"importing {files} took longer than {timeout_s:g} s. "
            "Move slow work, such as loading weights, into setup(), or allow more time."
        )
    elif ended.code < 0:
        reason = f"importing {files} was ended by {_signal_name(-ended.code)}"
    else:
        reason = f"importing {files} ended the process with exit code {ended.code}"
    return f"{reason}\nIt printed last:\n{last}" if last else reason


def _error(
    error: Mapping[str, str], refs: Mapping[str, str], isolation: Isolation, ended: Ended
) -> LiveSchemaError:
    message = error["message"]
    if error["kind"] == "missing":
        return LiveSchemaError(message, printed=ended.printed)
    if error["kind"] == "signature":
        return LiveSchemaError(message, error["advice"], printed=ended.printed)
    frames = error["traceback"]
    shown = f"\n{frames}\n{message}" if frames else f"\n{message}"
    verb = "exited" if error["kind"] == "exited" else "failed"
    advice = "Only the import runs, not setup()"
    if isolation.has_no_network:
        advice += "; there is no network, and variables come from cog.yaml and -e alone."
    else:
        advice += "; variables come from cog.yaml and -e alone."
    if f"[Errno {errno.EFBIG}]" in message:
        size = f"{MAX_FILE_BYTES // 1024**2} MiB"
        advice += f" No file, and nothing that is printed, may have more than {size}."
    return LiveSchemaError(
        f"importing {_files(refs)} {verb}:{shown}", advice, printed=ended.printed
    )


def last_lines(printed: str) -> str:
    """Return the end of what was printed, indented."""
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-SHOWN_LINES:])


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _files(refs: Mapping[str, str]) -> str:
    return " and ".join(dict.fromkeys(ref.partition(":")[0] for ref in refs.values()))
