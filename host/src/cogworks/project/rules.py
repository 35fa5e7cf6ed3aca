"""What a single value must look like: the rules of ``cog.yaml``, with messages whose wording users of the format know."""

from __future__ import annotations

import re

from cogworks.project.path_patterns import PatternError, parse_pattern
from cogworks.project.rule import Check, Pattern

MINIMUM_PYTHON = (3, 9)
MINIMUM_CUDA_MAJOR = 11
MINIMUM_SDK_VERSION = "0.16.0"
MAXIMUM_ID = 2**31 - 1
"""Of a user or a group; container engines refuse what does not fit into 32 bits with a sign."""

NOT_EMPTY = Pattern(r"[\s\S]*\S[\s\S]*", "must not be empty")
_NOT_BLANK = r"(?=[\s\S]*\S)"
_NUMBER = "(?:0|[1-9][0-9]{0,3})"

CUDNN_VERSION = Pattern(
    rf"{_NUMBER}(?:\.{_NUMBER}){{0,3}}", "must be a cuDNN version such as '9'", at_least=0
)
WEIGHT_NAME = Pattern(
    "[a-z0-9]+(?:[._-][a-z0-9]+)*",
    "must be lower-case letters and digits, separated by single '.', '_' or '-'",
)

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
IMAGE = Pattern(
    rf"(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    "must be an image such as 'python:3.12-slim' or 'registry.example/base@sha256:...'",
)
"""The name of an image; source: the grammar of the distribution project."""


def reference(example: str) -> Pattern:
    """Return the rule of a class or function in a file, such as ``run.py:Runner``."""
    name = r"(?:(?!\.py:)[\s\S])+"
    return Pattern(rf"{name}\.py:{name}", f"must be in the form '{example}'")


def check_python_version(text: str) -> str | None:
    """Check ``build.python_version``: major.minor or major.minor.patch, 3.9 or newer."""
    parts = text.split(".")
    if not all(re.fullmatch(_NUMBER, part) for part in parts) or len(parts) > 3:
        return "must be a Python version such as '3.11' or '3.11.4'"
    if len(parts) < 2:
        return "must include major and minor version (e.g., '3.11')"
    if (int(parts[0]), int(parts[1])) < MINIMUM_PYTHON:
        return "minimum supported Python version is 3.9"
    return None


PYTHON_VERSION = Check(
    check_python_version,
    rf"(?:3\.(?:9|[1-9][0-9]{{1,3}})|(?:[4-9]|[1-9][0-9]{{1,3}})\.{_NUMBER})(?:\.{_NUMBER})?",
    "must be a Python version from 3.9 on, such as '3.11' or '3.11.4'",
    at_least=3.1,
)


def check_cuda(text: str) -> str | None:
    """Check ``build.cuda``: major.minor or major.minor.patch, 11 or newer."""
    if not re.fullmatch(rf"{_NUMBER}(\.{_NUMBER}){{0,2}}", text):
        return "must be a CUDA version such as '12.4'"
    major, _, minor = text.partition(".")
    if not minor:
        return "must include major and minor version (e.g., '12.4')"
    if int(major) < MINIMUM_CUDA_MAJOR:
        return f"minimum supported CUDA version is {MINIMUM_CUDA_MAJOR}"
    return None


CUDA_VERSION = Check(
    check_cuda,
    rf"(?:1[1-9]|[2-9][0-9]|[1-9][0-9]{{2,3}})\.{_NUMBER}(?:\.{_NUMBER})?",
    "must be a CUDA version from 11 on, such as '12.4'",
    at_least=MINIMUM_CUDA_MAJOR,
)


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


SDK_VERSION = Check(
    check_sdk_version,
    r"prerelease|\s*[vV]?[0-9][0-9A-Za-z.!+_-]*\s*",
    f"must be a version from {MINIMUM_SDK_VERSION} on, or 'prerelease'",
    at_least=0,
)


def check_repository(text: str) -> str | None:
    """Check ``model``: a repository without tag and digest."""
    if not text.strip():
        return "must not be empty"
    name = text.rpartition("/")[2]
    if "@" in text or ":" in name:
        return "must be a bare repository — tags and digests are not allowed"
    return None


REPOSITORY = Check(
    check_repository,
    rf"{_NOT_BLANK}(?:[^@]*/)?[^@:/]*",
    "must be a bare repository — tags and digests are not allowed",
)


def check_command(text: str) -> str | None:
    """Check one command of ``build.run``: a single line."""
    if not text.strip():
        return "must not be empty"
    if "\n" in text.strip("\r\n"):
        return "a command must be a single line; join commands with && or put them into a script"
    return None


COMMAND = Check(check_command, rf"{_NOT_BLANK}[\r\n]*[^\n]*[\r\n]*", "must be a single line")

_ID = "0|[1-9][0-9]*"
_ACCOUNT = "[A-Za-z_][A-Za-z0-9_.-]{0,31}"
_USER = f"(?:{_ID}|{_ACCOUNT})(?::(?:{_ID}|{_ACCOUNT}))?"


def check_user(text: str) -> str | None:
    """Check ``build.user``: a name or an id, and behind a colon the same for a group."""
    if not re.fullmatch(_USER, text):
        return "must be a user such as '1000', '1000:1000' or 'root'"
    if any(part.isdigit() and int(part[:11]) > MAXIMUM_ID for part in text.split(":")):
        return f"an id is at most {MAXIMUM_ID}"
    return None


USER = Check(check_user, _USER, "must be a user such as '1000', '1000:1000' or 'root'", at_least=0)


def check_path_pattern(text: str) -> str | None:
    """Check one pattern of ``build.weights``, which is one of a .dockerignore."""
    try:
        parse_pattern(text)
    except PatternError as error:
        return str(error)
    return None


PATH_PATTERN = Check(
    check_path_pattern, r"(?!\s*!?\s*$)[\s\S]+", "must be a pattern, as in a .dockerignore"
)

RESERVED_NAMES = {
    "PATH": "where the model's Python and programs are found",
    "LD_LIBRARY_PATH": "where the GPU driver's libraries are found",
    "LIBRARY_PATH": "where compilers find the GPU driver's libraries",
    "PYTHONPATH": "would put other modules before the model's packages",
    "VIRTUAL_ENV": "names the model's environment",
    "PYTHONUNBUFFERED": "always 1, so that what the model prints is seen at once",
    "HF_ENDPOINT": "whoever runs the model decides where models are downloaded from",
    "HF_HUB_ENABLE_HF_TRANSFER": "whoever runs the model decides how models are downloaded",
}
"""Variables that are not the project's to set, and why."""
RESERVED_PREFIXES = {
    "CUDA_": "the GPU's driver and its images",
    "NVIDIA_": "the GPU's driver and its images",
    "NV_": "the GPU's driver and its images",
    "R8_": "the platform that runs the model",
    "REPLICATE_": "the platform that runs the model",
    "PGET_": "the platform's downloads",
    "KUBERNETES_": "Kubernetes",
}
"""What names may not begin with, and to whom they belong."""
_VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"


def check_environment(text: str) -> str | None:
    """Check one entry of ``environment``: ``NAME=value`` with a name that is free to use."""
    name, equals, _ = text.partition("=")
    if not equals or not re.fullmatch(_VARIABLE, name):
        # The text may be a secret that lacks its name, so little of it is shown.
        return f"environment variable {name[:20]} is not in the KEY=VALUE format"
    if name in RESERVED_NAMES or name.startswith(tuple(RESERVED_PREFIXES)):
        return f"environment variable {name} is not allowed: reserved for internal use"
    return None


ENVIRONMENT = Check(
    check_environment,
    rf"(?!(?:{'|'.join(RESERVED_NAMES)})=)(?!{'|'.join(RESERVED_PREFIXES)}){_VARIABLE}=[\s\S]*",
    "must be NAME=value, with a name that is not reserved",
)


def check_weight_target(text: str) -> str | None:
    """Check ``weights[].target``: an absolute path below the root."""
    if not text.startswith("/"):
        return "must be an absolute path"
    if not text.strip("/."):
        return 'must not be "/"'
    return None


WEIGHT_TARGET = Check(
    check_weight_target, r"/[/.]*[^/.][\s\S]*", 'must be an absolute path other than "/"'
)


def check_file_pattern(text: str) -> str | None:
    """Check one pattern of ``include`` or ``exclude``."""
    if not text:
        return "a pattern must not be empty"
    if text.startswith("!"):
        return 'a pattern must not start with "!"'
    if "\\" in text:
        return "a pattern must not contain a backslash; separate folders with /"
    return None


FILE_PATTERN = Check(
    check_file_pattern, r"(?!!)[^\\]+", "must be a pattern without backslashes and a leading '!'"
)
