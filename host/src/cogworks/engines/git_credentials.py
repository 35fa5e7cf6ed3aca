"""Credentials of git repositories in requirements: git gets them by variables, and no program by its arguments.

    in      ours @ git+https://me:${TOKEN}@host/team/ours.git@v1
    out     ours @ git+https://host/team/ours.git@v1
            GIT_CONFIG_KEY_0=http.https://host/.extraHeader    GIT_CONFIG_VALUE_0=Authorization: Basic ...

Arguments are seen by everybody on the machine, and uv hands git the whole URL. Source: git-config(1), `GIT_CONFIG_COUNT`
and `http.<url>.*`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from cogworks.engines.inputs import Inputs

_URL = re.compile(
    r"(?<=git\+)(?P<scheme>https?://)(?P<user>[^/\s@'\"`]+)@(?P<host>[^/\s@'\"`#]+)(?P<path>/[^\s@'\"`#]*)"
)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""What pip and uv replace in requirements by the variable of that name."""


@dataclass(frozen=True, slots=True)
class GitAccess:
    """Lines of requirements without credentials of git repositories, and the variables that hold them instead."""

    lines: tuple[str, ...]
    variables: Mapping[str, str]


def git_access(lines: Iterable[str], environment: Mapping[str, str]) -> GitAccess:
    """Take the credentials out of lines of requirements.

    Args:
        environment: the variables that uv and git run under; `${NAME}` in a line is one of them.
    """
    headers: dict[str, dict[str, str]] = {}

    def take(match: re.Match[str]) -> str:
        user, host, path = (
            _expanded(match[name], environment) for name in ("user", "host", "path")
        )
        if "${" in user:
            return match[0]  # uv says that the variable is not set.
        place = f"{match['scheme']}{host}"
        headers.setdefault(f"{place}/", {})[f"{place}{path}"] = _header(user)
        return f"{match['scheme']}{match['host']}{match['path']}"

    kept = tuple(_URL.sub(take, line) for line in lines)
    return GitAccess(kept, _variables(headers, environment))


def with_git_access(
    inputs: Inputs, variables: Mapping[str, str] | None
) -> tuple[Inputs, Mapping[str, str] | None]:
    """Return the inputs of a call of uv, and the variables that it runs under; those that are inherited are left alone."""
    if variables is None:
        return inputs, None
    access = git_access(inputs.requirements.lines, variables)
    requirements = replace(inputs.requirements, lines=access.lines)
    return replace(inputs, requirements=requirements), {**variables, **access.variables}


def _variables(
    headers: Mapping[str, Mapping[str, str]], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return git's configuration: for a whole host, as its submodules want, unless repositories there have different ones."""
    pairs: list[tuple[str, str]] = []
    for host, by_place in headers.items():
        values = set(by_place.values())
        pairs += [(host, values.pop())] if len(values) == 1 else by_place.items()
    if not pairs:
        return {}
    before = environment.get("GIT_CONFIG_COUNT", "")
    start = int(before) if before.isdigit() else 0
    found = {"GIT_CONFIG_COUNT": str(start + len(pairs))}
    for number, (place, header) in enumerate(pairs, start):
        found[f"GIT_CONFIG_KEY_{number}"] = f"http.{place}.extraHeader"
        found[f"GIT_CONFIG_VALUE_{number}"] = header
    return found


def _header(user_info: str) -> str:
    user, _, password = user_info.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environment.get(match[1]) or match[0], text)
