"""What a single value must look like: small rules that say what is wrong with a text.

A rule is data (its pattern, its minimum, its choices), so that the JSON Schema of ``cog.yaml`` and
its documentation can be made from the same table that checks it. Messages keep the wording that
users of the format know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cogworks.project.path_patterns import PatternError, parse_pattern

MINIMUM_PYTHON = (3, 9)
MINIMUM_CUDA_MAJOR = 11
MINIMUM_SDK_VERSION = "0.16.0"
MAXIMUM_ID = 2**31 - 1
"""Of a user or a group; container engines refuse what does not fit into 32 bits with a sign."""


class Rule(Protocol):
    """Tells what is wrong with the text of a value."""

    def complaint(self, text: str) -> str | None:
        """Return why ``text`` is not allowed, or None when it is."""
        ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole text must match ``regex``."""

    regex: str
    message: str

    def complaint(self, text: str) -> str | None:
        """Return the message when the text does not match."""
        return None if re.fullmatch(self.regex, text, re.DOTALL) else self.message


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A whole number not below ``minimum``."""

    minimum: int

    def complaint(self, text: str) -> str | None:
        """Return the message when the number is smaller."""
        return None if int(text) >= self.minimum else f"must be at least {self.minimum}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def complaint(self, text: str) -> str | None:
        """Return the message when the text is another word."""
        return None if text in self.words else f"must be {' or '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that takes a few lines; ``function`` returns the complaint."""

    function: Callable[[str], str | None]

    def complaint(self, text: str) -> str | None:
        """Return what the function says."""
        return self.function(text)


NOT_EMPTY = Pattern(r"[\s\S]*\S[\s\S]*", "must not be empty")

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
IMAGE = Pattern(
    rf"(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    "must be an image such as 'python:3.12-slim' or 'registry.example/base@sha256:...'",
)
"""The name of an image; source: the grammar of the distribution project."""


def check_python_version(text: str) -> str | None:
    """Check ``build.python_version``: major.minor or major.minor.patch, 3.9 or newer."""
    parts = text.split(".")
    if not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts) or len(parts) > 3:
        return "must be a Python version such as '3.11' or '3.11.4'"
    if len(parts) < 2:
        return "must include major and minor version (e.g., '3.11')"
    if (int(parts[0]), int(parts[1])) < MINIMUM_PYTHON:
        return "minimum supported Python version is 3.9"
    return None


def check_cuda(text: str) -> str | None:
    """Check ``build.cuda``: major.minor or major.minor.patch, 11 or newer."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", text):
        return "must be a CUDA version such as '12.4'"
    major, _, minor = text.partition(".")
    if not minor:
        return "must include major and minor version (e.g., '12.4')"
    if int(major) < MINIMUM_CUDA_MAJOR:
        return f"minimum supported CUDA version is {MINIMUM_CUDA_MAJOR}"
    return None


def check_sdk_version(text: str) -> str | None:
    """Check ``build.sdk_version``: a released version of the format's SDK, or ``prerelease``."""
    if text == "prerelease":
        return None
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(text)
    except InvalidVersion:
        return "must be a version such as '0.16.0', or 'prerelease'"
    if version < Version(MINIMUM_SDK_VERSION):
        return f"minimum supported SDK version is {MINIMUM_SDK_VERSION}"
    return None


def check_repository(text: str) -> str | None:
    """Check ``model``: a repository without tag and digest."""
    if not text.strip():
        return "must not be empty"
    name = text.rpartition("/")[2]
    if "@" in text or ":" in name:
        return "must be a bare repository — tags and digests are not allowed"
    return None


def check_command(text: str) -> str | None:
    """Check one command of ``build.run``: a single line."""
    if not text.strip():
        return "must not be empty"
    if "\n" in text.strip("\r\n"):
        return "a command must be a single line; join commands with && or put them into a script"
    return None


RESERVED_NAMES = (
    *("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONUNBUFFERED"),
    *("LIBRARY_PATH", "HF_ENDPOINT", "HF_HUB_ENABLE_HF_TRANSFER"),
)
"""Variables that the environment of a model sets itself."""
RESERVED_PREFIXES = ("R8_", "REPLICATE_", "CUDA_", "NVIDIA_", "NV_", "PGET_", "KUBERNETES_")


def check_environment(text: str) -> str | None:
    """Check one entry of ``environment``: ``NAME=value`` with a name that is free to use."""
    name, equals, _ = text.partition("=")
    if not equals or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        # The text may be a secret that lacks its name, so little of it is shown.
        return f"environment variable {name[:20]} is not in the KEY=VALUE format"
    if name in RESERVED_NAMES or name.startswith(RESERVED_PREFIXES):
        return f"environment variable {name} is not allowed: reserved for internal use"
    return None


_ID = "0|[1-9][0-9]*"
_ACCOUNT = "[A-Za-z_][A-Za-z0-9_.-]{0,31}"


def check_user(text: str) -> str | None:
    """Check ``build.user``: a name or an id, and behind a colon the same for a group."""
    account = f"(?:{_ID}|{_ACCOUNT})"
    if not re.fullmatch(f"{account}(:{account})?", text):
        return "must be a user such as '1000', '1000:1000' or 'root'"
    if any(part.isdigit() and int(part[:11]) > MAXIMUM_ID for part in text.split(":")):
        return f"an id is at most {MAXIMUM_ID}"
    return None


def check_path_pattern(text: str) -> str | None:
    """Check one pattern of ``build.weights``, which is one of a .dockerignore."""
    try:
        parse_pattern(text)
    except PatternError as error:
        return str(error)
    return None


def check_weight_target(text: str) -> str | None:
    """Check ``weights[].target``: an absolute path below the root."""
    if not text.startswith("/"):
        return "must be an absolute path"
    if not text.strip("/."):
        return 'must not be "/"'
    return None


def check_file_pattern(text: str) -> str | None:
    """Check one pattern of ``include`` or ``exclude``."""
    if not text:
        return "a pattern must not be empty"
    if text.startswith("!"):
        return 'a pattern must not start with "!"'
    if "\\" in text:
        return "a pattern must not contain a backslash; separate folders with /"
    return None
