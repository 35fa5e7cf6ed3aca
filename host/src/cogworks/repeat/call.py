"""What names a call of the command: everything that decides on what it does, but the files that it reads."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence

from cogworks._version import __version__

FORMAT = 1
"""Raised when records of older versions must not be used."""
COMMANDS = frozenset({"build", "push"})
FOLDER = os.path.join("oci", "calls")
"""Where records are, below the cache's folder."""
_PASSING = frozenset(
    {
        *("_", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "WINDOWID", "PROMPT_COMMAND", "PS1"),
        *("TERM_SESSION_ID", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_AUTH_SOCK"),
    }
)
"""Variables that are other ones in each shell, and that nothing here reads. All others count: uv and git read many."""


def call_key(
    arguments: Sequence[str], directory: str, environ: Mapping[str, str], *, is_terminal: bool
) -> str:
    """Return the name of a call's record: 64 hexadecimal digits.

    Args:
        directory: the current one.
        is_terminal: whether people read what it says.
    """
    variables = sorted((name, value) for name, value in environ.items() if name not in _PASSING)
    content = [
        *(FORMAT, __version__, sys.prefix, list(arguments), directory, is_terminal),
        variables,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def may_repeat(arguments: Sequence[str]) -> bool:
    """Tell whether a call is one that has a record, if it was made before."""
    return bool(arguments) and arguments[0] in COMMANDS and "--help" not in arguments


def record_path(cache_dir: str, key: str) -> str:
    """Return where the record of a call is."""
    return os.path.join(cache_dir, FOLDER, f"{key}.json")
