"""How uv is asked for the exact packages that some inputs come to.

A requirements file comes to another requirements file, in which every package is pinned. A
``pyproject.toml`` comes to a ``pylock.toml`` (PEP 751), which also says where each file is: its
packages may belong to indexes that only ``[tool.uv.sources]`` knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.inputs import Inputs
from cogworks.project.requirements import OWN_PACKAGES, Requirements

FILE_NAMES = ("requirements.txt", "pylock.toml")
"""What the file of a resolution may be called; uv goes by the name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A call of uv and the file that it writes; without arguments the file is there already."""

    arguments: tuple[str, ...]
    output: Path


def plan_resolution(
    inputs: Inputs, python: Path, workspace: Path, target_version: str | None = None
) -> Plan:
    """Return how to resolve the inputs for an interpreter, writing to ``workspace`` only.

    Args:
        target_version: the Python to resolve for, where it is another than that of ``python``.
    """
    target_python = () if target_version is None else ("--python-version", target_version)
    common = ("--python", str(python), "--no-header", "--no-annotate")
    if inputs.pyproject is None:
        return _plan_requirements(inputs, (*common, *target_python), workspace)
    output = workspace / "pylock.toml"
    target = ("--format=pylock.toml", "--output-file", str(output), *common)
    if inputs.lock is None:
        compile_ = ("pip", "compile", *leave_out_ours(workspace), *target, *target_python)
        return Plan((*compile_, str(inputs.pyproject)), output)
    # Groups are for development; the package of the project itself is not installed.
    export = ("export", "--frozen", "--no-emit-project", "--no-default-groups")
    prune = (f"--prune={name}" for name in sorted(OWN_PACKAGES))
    return Plan((*export, *prune, "--project", str(inputs.pyproject.parent), *target), output)


def _plan_requirements(inputs: Inputs, common: tuple[str, ...], workspace: Path) -> Plan:
    requirements = inputs.requirements
    output = workspace / "requirements.txt"
    if not requirements.lines or requirements.has_hashes:
        # As for pip, a file with hashes is a complete list; to resolve it would lose them.
        lines = (f"{line}\n" for line in requirements.lines)
        output.write_text("".join(lines), encoding="utf-8")
        return Plan((), output)
    source = write_source(requirements, requirements.lines, workspace)
    compile_ = ("pip", "compile", *leave_out_ours(workspace), "--output-file", str(output))
    return Plan((*compile_, *common, *index_switches(inputs), str(source)), output)


def write_source(requirements: Requirements, lines: Sequence[str], workspace: Path) -> Path:
    """Write a requirements file for uv: the author's options, then the lines."""
    source = workspace / "requirements.in"
    text = "".join(f"{line}\n" for line in (*requirements.options, *lines))
    source.write_text(text, encoding="utf-8")
    return source


def index_switches(inputs: Inputs) -> tuple[str, ...]:
    """Return uv's options for a requirements file that was written for pip."""
    requirements = inputs.requirements
    switches = tuple(switch for switch in requirements.switches if switch != "--require-hashes")
    has_more = any(option.startswith("--extra-index-url") for option in requirements.options)
    if has_more and not inputs.has_strategy:
        # pip takes the best version of all indexes; uv by default only the first index that knows
        # the name, which hides newer versions behind a partial mirror.
        return (*switches, "--index-strategy=unsafe-best-match")
    return switches


def leave_out_ours(workspace: Path) -> tuple[str, str]:
    """Return the option that leaves our own packages out, also where others depend on them.

    An override replaces every requirement on a name; one for a platform that does not exist
    requires nothing. ``--excludes`` would say it shorter, but older versions of uv let it miss
    the direct dependencies of a pyproject.toml.
    """
    overrides = workspace / "overrides.txt"
    lines = (f"{name} ; sys_platform == 'never'\n" for name in sorted(OWN_PACKAGES))
    overrides.write_text("".join(lines), encoding="utf-8")
    return "--overrides", str(overrides)
