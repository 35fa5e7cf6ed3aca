"""Find docker and podman, and whether they can be used: quickly, without starting anything.

    no program                        not installed
    a program and no daemon           not reachable, with the program's own reason
    `docker` that is podman           podman (the shim of the package podman-docker)
    docker's program, podman's socket docker for its words, podman for what it does with images

Which daemon is meant is the program's business: DOCKER_HOST, DOCKER_CONTEXT, its configuration, CONTAINER_HOST.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from cogworks.engines.containers.command import Answer, ask
from cogworks.engines.containers.engine import DOCKER, NAMES, PODMAN, ContainerEngine
from cogworks.engines.containers.errors import ContainerError, EngineUnreachableError, reason

QUICK_S = 0.9
"""How long a build waits for a daemon that it does not need; one that answers does in 0.05 s."""
PATIENT_S = 15.0
"""How long a command waits for a daemon that it needs: it may be behind a slow ssh."""
LOCAL_S = 10.0
"""Podman on this machine needs no daemon, so there is none to wait for; if its disk is busy it takes its time."""
_FORBIDDEN = "permission denied"


def find_engines(
    environment: Mapping[str, str],
    names: Sequence[str] = NAMES,
    timeout_s: float = QUICK_S,
) -> tuple[ContainerEngine, ...]:
    """Return the engines of these names up to the first that answers, the others with the reason why not.

    Args:
        environment: PATH says where programs are looked for; the rest, which daemon they mean.
    """
    found: list[ContainerEngine] = []
    for name in names:
        engine = examine(name, environment, timeout_s)
        found.append(engine)
        if engine.is_reachable:
            break
    return tuple(found)


def require_engine(
    environment: Mapping[str, str],
    names: Sequence[str] = NAMES,
    timeout_s: float = PATIENT_S,
) -> ContainerEngine:
    """Return the first engine of these names that answers.

    Raises:
        EngineUnreachableError: none does.
    """
    engines = find_engines(environment, names, timeout_s)
    if engines[-1].is_reachable:
        return engines[-1]
    which = "one of them" if len(engines) > 1 else "it"
    raise EngineUnreachableError(f"{why_none(engines)}. Install or start {which}, and try again.")


def why_none(engines: Sequence[ContainerEngine]) -> str:
    """Return why none of these can be used, as half a sentence."""
    return "; ".join(f"{engine.name} {engine.why_not}" for engine in engines)


def examine(name: str, environment: Mapping[str, str], timeout_s: float) -> ContainerEngine:
    """Return what is known of one engine."""
    program = shutil.which(name, path=environment.get("PATH"))
    if program is None:
        return ContainerEngine(name, "", environment, why_not="is not installed")
    engine = ContainerEngine(name, program, environment, server=name)
    try:
        return _podman(engine, timeout_s) if name == PODMAN else _docker(engine, timeout_s)
    except ContainerError as error:
        return replace(engine, why_not=str(error).removeprefix(f"{name} "))


def _docker(engine: ContainerEngine, timeout_s: float) -> ContainerEngine:
    answer = ask(engine, ["version", "--format", "{{json .}}"], timeout_s)
    parts = _parse(answer.stdout)
    client, server = _object(parts.get("Client")), _object(parts.get("Server"))
    if "APIVersion" in client:  # Podman's spelling; docker's is ApiVersion.
        own = shutil.which(PODMAN, path=engine.environment.get("PATH"))
        program = own or engine.program
        return _podman(replace(engine, name=PODMAN, program=program, server=PODMAN), timeout_s)
    if answer.code != 0 or not server:
        return replace(engine, why_not=_why_not(engine, answer))
    components = cast("list[Any]", server.get("Components") or [])
    names = [str(_object(one).get("Name", "")) for one in components]
    kind = PODMAN if any(one.startswith("Podman") for one in names) else DOCKER
    return replace(engine, version=str(server.get("Version", "")), server=kind)


def _podman(engine: ContainerEngine, timeout_s: float) -> ContainerEngine:
    is_local = sys.platform == "linux" and not engine.environment.get("CONTAINER_HOST")
    limit_s = max(timeout_s, LOCAL_S) if is_local else timeout_s
    answer = ask(engine, ["info", "--format", "{{json .}}"], limit_s)
    version = _object(_parse(answer.stdout).get("version"))
    if answer.code != 0 or not version:
        return replace(engine, why_not=_why_not(engine, answer))
    return replace(engine, version=str(version.get("Version", "")))


def _why_not(engine: ContainerEngine, answer: Answer) -> str:
    said = reason(answer.stderr).removesuffix("Is the docker daemon running?").rstrip(" .")
    if _FORBIDDEN in said.lower():
        group = " (add your user to the group docker)" if engine.name == DOCKER else ""
        return f"is installed, but you may not use it{group}: {said}"
    return f"is installed, but cannot be used: {said or f'exit code {answer.code}'}"


def _parse(text: str) -> dict[str, Any]:
    try:
        return _object(json.loads(text))
    except ValueError:
        return {}


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
