"""The environment variables of what the CLI starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cogworks.cli.errors import OptionError, quote


def parse_environment(arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `-e NAME=VALUE` and `-e NAME`, which passes the user's own on.

    Raises:
        OptionError: a name is empty or not possible.
    """
    result: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not name or "\0" in argument:
            raise OptionError(f"-e {quote(argument)}: expected NAME=VALUE or NAME")
        if equals:
            result[name] = value
        elif name in environ:
            result[name] = environ[name]
    return result


def environment_of_model(
    environ: Mapping[str, str],
    venv: Path,
    bin_dir: Path,
    project: Iterable[tuple[str, str]],
    options: Mapping[str, str],
) -> dict[str, str]:
    """Return the complete environment of a process in the model's environment.

    Later ones win: the user's own, cog.yaml's `environment`, `-e`. The environment's programs
    come first on PATH, and what the user's shell says of another Python is left out. On one's
    own machine a model may fetch its inputs from one's own network.
    """
    inherited = {
        name: value for name, value in environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")
    }
    result = {"COG_ALLOW_PRIVATE_URLS": "1", **inherited, **dict(project), **options}
    path = result.get("PATH", os.defpath)
    return {**result, "PATH": f"{bin_dir}{os.pathsep}{path}", "VIRTUAL_ENV": str(venv)}
