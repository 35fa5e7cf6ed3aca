"""Which engine runs the stages of a build: the first that can be used, or the one that was named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cogworks.build.errors import NoEngineError, StageError
from cogworks.build.stages.buildah import Buildah
from cogworks.build.stages.docker import Docker
from cogworks.build.stages.engine import Engine
from cogworks.engines.containers.command import ask
from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import ContainerError, reason
from cogworks.engines.containers.find import PATIENT_S, examine

NAMES = ("buildah", "docker", "podman")
"""In the order in which they are tried."""
CHOICES = (*NAMES, "sandbox")
"""What may be named. The sandbox runs commands as this machine's root, so it has to be asked for."""
_FIRST_WITH_BUILDX = 23
"""Docker's program has needed the component buildx for BuildKit since this version."""
_OLDEST_DOCKER = (20, 10)
_ANSWER_TIMEOUT_S = 15.0

_Found = Engine | str
"""An engine, or why it cannot be used."""


def choose_engine(
    environment: Mapping[str, str], needed: Sequence[str], name: str | None = None
) -> Engine:
    """Return the engine that stages run with.

    Args:
        environment: PATH says where programs are, the rest which daemon they mean.
        needed: why one is needed: sentences for the error.
        name: the one that was chosen; None for the first that can be used.

    Raises:
        NoEngineError: none can be used.
        StageError: there is no engine of that name.
    """
    if name is not None and name not in CHOICES:
        raise StageError(f"There is no engine {name!r} for builds; use {', '.join(CHOICES)}.")
    reasons: list[str] = []
    for each in NAMES if name is None else (name,):
        found = _FINDERS[each](environment, PATIENT_S)
        if not isinstance(found, str):
            return found
        reasons.append(f"{each} {found}")
    raise NoEngineError(needed, reasons)


def why_not(name: str, environment: Mapping[str, str], timeout_s: float) -> str:
    """Return why an engine cannot run stages, as half a sentence; empty if it can."""
    found = _FINDERS[name](environment, timeout_s)
    return found if isinstance(found, str) else ""


def _find_buildah(environment: Mapping[str, str], timeout_s: float) -> _Found:
    program = shutil.which("buildah", path=environment.get("PATH"))
    if program is None:
        return "is not installed"
    try:
        done = subprocess.run(
            # Asks for the storage, too, which a user or a container may not have.
            [program, "images", "--quiet"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"is installed, but did not answer within {timeout_s:g} s"
    except OSError as error:
        return f"is installed, but cannot be used: {error}"
    if done.returncode:
        return f"is installed, but cannot be used: {reason(done.stderr)}"
    return Buildah(program, environment)


def _find_podman(environment: Mapping[str, str], timeout_s: float) -> _Found:
    found = examine("podman", environment, timeout_s)
    if not found.is_reachable:
        return found.why_not
    return Buildah(found.program, environment, name="podman")


def _find_docker(environment: Mapping[str, str], timeout_s: float) -> _Found:
    found = examine("docker", environment, timeout_s)
    if not found.is_reachable:
        return found.why_not
    if found.is_podman:
        return "is podman"
    if found.release < _OLDEST_DOCKER:
        return f"is of version {found.version}; 20.10 or newer is needed"
    candidates = [replace(found, program=one) for one in _programs(found.program, environment)]
    with_buildkit = next((one for one in candidates if _has_buildkit(one)), None)
    if with_buildkit is None:
        return Docker(found, builder="")
    return Docker(with_buildkit, _builder_of(with_buildkit))


def _find_sandbox(environment: Mapping[str, str], timeout_s: float) -> _Found:
    if sys.platform != "linux":
        return "is there on Linux only"
    # Here, since nowhere else it could even be loaded.
    from cogworks.build.stages.sandbox import Sandbox, why_no_sandbox

    try:
        return why_no_sandbox(environment, timeout_s) or Sandbox(environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be used: {error}"


def _programs(first: str, environment: Mapping[str, str]) -> list[str]:
    """Return docker's programs on PATH: a later one may have what the first one lacks."""
    folders = environment.get("PATH", "").split(":")
    found = [one for folder in folders if (one := shutil.which("docker", path=folder)) is not None]
    by_file = {Path(one).resolve(): one for one in reversed([first, *found])}
    return list(reversed(by_file.values()))


def _has_buildkit(engine: ContainerEngine) -> bool:
    try:
        version = ask(engine, ["version", "--format", "{{.Client.Version}}"], _ANSWER_TIMEOUT_S)
        major = version.stdout.strip().partition(".")[0]
        if major.isdigit() and int(major) < _FIRST_WITH_BUILDX:
            return True
        return ask(engine, ["buildx", "version"], _ANSWER_TIMEOUT_S).code == 0
    except ContainerError:
        return False


def _builder_of(engine: ContainerEngine) -> str:
    """Return the name of the daemon's own builder, which is that of the context."""
    try:
        answer = ask(engine, ["context", "inspect", "--format", "{{.Name}}"], _ANSWER_TIMEOUT_S)
    except ContainerError:
        return "default"
    return answer.stdout.strip() if answer.code == 0 and answer.stdout.strip() else "default"


_FINDERS: Mapping[str, Callable[[Mapping[str, str], float], _Found]] = {
    "buildah": _find_buildah,
    "docker": _find_docker,
    "podman": _find_podman,
    "sandbox": _find_sandbox,
}
