"""Checks of the machine: uv, Pythons and GPUs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.checkup.config_checks import NO_CONFIG
from cogworks.cli.findings import Finding, Severity

TOOL_TIMEOUT_S = 10.0
GPU_FLOORS = (
    ((12, 0), "2.7.0", "12.8"),
    ((10, 0), "2.7.0", "12.8"),
    ((9, 0), "2.0.1", "11.8"),
)
"""Compute capability from which on a torch and a CUDA are needed at least."""


def find_uv_problems(context: Context) -> Result:
    """Find out whether uv, which makes environments, runs."""
    from uv import find_uv_bin

    hint = "Install Cogworks again, with its dependencies"
    try:
        output = _run([find_uv_bin(), "--version"], context)
    except FileNotFoundError:
        output = None
    if output is None:
        return Result((Finding("uv is missing or does not run", "env-uv", hint=hint),))
    return Result(note=output.splitlines()[0].partition(" (")[0] if output else "")


def find_python_problems(context: Context) -> Result:
    """Find out whether the model's Python is on this machine."""
    from cogworks.engines.python import Machine

    if context.project is None:
        return NO_CONFIG
    version = context.project.build.python_version
    found = Machine(context.environ).find(version)
    if found is not None:
        return Result(note=f"{found.version} at {found.path}")
    return Result(
        (
            Finding(
                f"Python {version} is not on this machine; uv fetches it when it is needed",
                "env-python-version",
                Severity.WARNING,
                context.config_name,
                context.project.lines.get("build.python_version", 0),
                hint=f"Install Python {version} where there is no network",
            ),
        )
    )


def find_gpu_problems(context: Context) -> Result:
    """Find GPUs that are newer than the torch or the CUDA that the project names."""
    if context.environ.get("COG_SKIP_GPU_CHECK"):
        return Result(note="COG_SKIP_GPU_CHECK is set", is_skipped=True)
    if context.project is None:
        return NO_CONFIG
    query = ["nvidia-smi", "--query-gpu=compute_cap,name", "--format=csv,noheader"]
    output = _run(query, context)
    if not output:
        return Result(note="no GPU of NVIDIA was found")
    torch, cuda = _torch_and_cuda(context)
    findings: list[Finding] = []
    for line in dict.fromkeys(output.splitlines()):
        findings += _judge_gpu(line, torch, cuda)
    return Result(tuple(findings), note="; ".join(output.splitlines()))


def _torch_and_cuda(context: Context) -> tuple[str, str]:
    """Return the versions that the project pins; empty where it does not."""
    from cogworks.engines.inputs import read_requirements
    from cogworks.errors import CogworksError

    assert context.project is not None
    build = context.project.build
    torch, cuda = "", build.cuda or ""
    source = build.requirements_file
    if source is not None and source.suffix == ".toml":
        return torch, cuda
    try:
        lines = read_requirements(context.project).lines
    except CogworksError:
        return torch, cuda
    for line in lines:
        match = re.match(r"torch\s*==\s*([0-9.]+)(?:\+cu([0-9]{2})([0-9]+))?", line)
        if match:
            torch = match[1]
            cuda = cuda or (f"{match[2]}.{match[3]}" if match[2] else "")
    return torch, cuda


def _judge_gpu(line: str, torch: str, cuda: str) -> list[Finding]:
    capability, _, name = (part.strip() for part in line.partition(","))
    numbers = _numbers(capability)
    floor = next((row for row in GPU_FLOORS if numbers >= row[0]), None)
    if floor is None:
        return []
    architecture = f"sm_{''.join(map(str, numbers))}"
    findings: list[Finding] = []
    for word, have, needed in (("torch", torch, floor[1]), ("CUDA", cuda, floor[2])):
        if have and _numbers(have) < _numbers(needed):
            message = f"{name} ({architecture}) needs {word} {needed} or newer, found {have}"
            hint = f"Use {word} {needed} or newer"
            findings.append(Finding(message, "env-gpu-compat", Severity.WARNING, hint=hint))
    return findings


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", version))


def _run(command: list[str], context: Context, timeout_s: float = TOOL_TIMEOUT_S) -> str | None:
    """Return what a tool prints; None if it is not there, fails, or takes too long."""
    program = shutil.which(command[0], path=context.environ.get("PATH"))
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            env=dict(context.environ),
            cwd=Path.home().anchor,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
