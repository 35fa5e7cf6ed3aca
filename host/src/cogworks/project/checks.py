"""Rules of ``cog.yaml`` that look at more than one key."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from cogworks.project.compatibility import cudnn_for_cuda
from cogworks.project.errors import quote
from cogworks.project.walk import Values

CONCURRENCY_PYTHON = (3, 11)
"""Several predictions at once need the task groups and timeouts of Python 3.11."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Two keys of one mapping of which only one may be given."""

    first: str
    second: str
    message: str


@dataclass(frozen=True, slots=True)
class Needs:
    """A key that means nothing without another one at the top of the file."""

    key: str
    needed: str


EXCLUSIVE = (
    Exclusive("run", "predict", "only one of run or predict can be set"),
    Exclusive("model", "image", "'model' and 'image' cannot both be set"),
    Exclusive(
        "build.python_packages",
        "build.python_requirements",
        "only one of python_packages or python_requirements can be set",
    ),
)
NEEDS = (Needs("weights", "model"),)


def check(values: Values) -> None:
    """Add every problem between keys to ``values``."""
    _check_exclusive(values)
    _check_needs(values)
    _check_cuda(values)
    _check_environment(values)
    _check_concurrency(values)
    _check_weights(values)


def _check_exclusive(values: Values) -> None:
    for rule in EXCLUSIVE:
        if _is_given(values, rule.first) and _is_given(values, rule.second):
            later = max(rule.first, rule.second, key=lambda path: values.lines[path])
            values.complain(later, rule.message)


def _check_needs(values: Values) -> None:
    for rule in NEEDS:
        if _is_given(values, rule.key) and rule.needed not in values.lines:
            rename = "; rename 'image' to 'model'" if "image" in values.lines else ""
            message = f"{rule.key} require '{rule.needed}' to be set{rename}"
            values.complain(rule.key, message)


def _is_given(values: Values, path: str) -> bool:
    """Tell whether a key says something: an empty list does not."""
    return path in values.lines and values.counts.get(path) != 0


def _check_cuda(values: Values) -> None:
    cuda, cudnn = values.texts.get("build.cuda"), values.texts.get("build.cudnn")
    if cuda is None or cudnn is None:
        return
    compatible = cudnn_for_cuda(cuda)
    if compatible and cudnn.split(".")[0] not in compatible:
        known = ", ".join(compatible)
        message = f"cuDNN {cudnn} is not compatible with CUDA {cuda}"
        values.complain("build.cudnn", f"{message}; compatible CuDNN versions are: {known}")


def _check_environment(values: Values) -> None:
    first: dict[str, int] = {}
    for index in range(values.counts.get("environment", 0)):
        place = f"environment[{index}]"
        name, equals, _ = values.texts.get(place, "").partition("=")
        if not equals:
            continue
        if name in first:
            where = f"in line {first[name]}"
            values.complain(place, f"environment variable {name} is already defined {where}")
        else:
            first[name] = values.lines[place]


def _check_concurrency(values: Values) -> None:
    limit = int(values.texts.get("concurrency.max", "1"))
    version = values.texts.get("build.python_version")
    if limit <= 1 or version is None:
        return
    major, minor = version.split(".")[:2]
    if (int(major), int(minor)) < CONCURRENCY_PYTHON:
        values.complain("concurrency.max", "concurrency above 1 needs Python 3.11 or newer")


def _check_weights(values: Values) -> None:
    names: dict[str, int] = {}
    targets: dict[str, int] = {}
    for index in range(values.counts.get("weights", 0)):
        place = f"weights[{index}]"
        name = values.texts.get(f"{place}.name")
        if name is not None and name in names:
            values.complain(f"{place}.name", f"duplicate weight name {quote(name)}")
        elif name is not None:
            names[name] = index
        text = values.texts.get(f"{place}.target")
        if text is None:
            continue
        # The root of the text is kept single: posixpath.normpath leaves "//a" as it is.
        target = "/" + posixpath.normpath(text).lstrip("/")
        if target == "/":
            values.complain(f"{place}.target", 'must not be "/"')
            continue
        for other, line in targets.items():
            if f"{target}/".startswith(f"{other}/") or f"{other}/".startswith(f"{target}/"):
                message = f"weight targets must be disjoint; {quote(other)} is in line {line}"
                values.complain(f"{place}.target", message)
                break
        targets.setdefault(target, values.lines[f"{place}.target"])
