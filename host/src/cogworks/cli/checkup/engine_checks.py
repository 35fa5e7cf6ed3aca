"""Container engines: what each is good for, whether it can be used, and what to do if not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.findings import Finding, Severity

ENGINE_TIMEOUT_S = 5.0
"""For a daemon to answer, as the format has it."""

CODE = "env-docker"
NAMES = ("docker", "podman", "buildah")
RUNS = (
    "runs models and images (`--engine {name}`, `cog run IMAGE`), keeps what `cog build -t` makes"
)
SANDBOX = "sandbox"
EXECUTES = "executes what builds have to (`system_packages`, `run`, sources without a wheel)"


@dataclass(frozen=True)
class EngineState:
    """One engine; ``why_no_containers`` and ``why_no_steps`` say what it cannot be used for."""

    name: str
    version: str
    why_no_containers: str
    why_no_steps: str

    def describe(self) -> str:
        """Return the line of the report."""
        uses = [] if self.why_no_containers else [RUNS.format(name=self.name)]
        uses += [] if self.why_no_steps else [EXECUTES]
        if not uses:
            advice = self.advice()
            return f"{self.name} {self.why_no_steps}{f'. {advice}' if advice else ''}"
        but = self.why_no_steps if not self.why_no_containers else ""
        title = f"{self.name} {self.version}".rstrip()
        return f"{title}: {'; '.join(uses)}{f'; not for builds: it {but}' if but else ''}"

    def advice(self) -> str:
        """Return what to do about an engine that is installed and cannot be used."""
        if "is not installed" in self.why_no_steps or "you may not use it" in self.why_no_steps:
            return ""
        if self.name == "docker" and sys.platform == "linux":
            return "Start its daemon: `sudo systemctl start docker`; or check DOCKER_HOST"
        if self.name == "docker":
            return "Start Docker Desktop, or check DOCKER_HOST"
        if self.name == "podman" and sys.platform != "linux":
            return "Start its machine: `podman machine start`"
        return f"`{self.name} info` says more"


def find_engine_problems(context: Context) -> Result:
    """Find an engine that was chosen or is needed and cannot be used; others are only told of."""
    if context.environ.get("COG_SKIP_DOCKER_CHECK"):
        return Result(note="COG_SKIP_DOCKER_CHECK is set", is_skipped=True)
    states = examine_engines(context.environ)
    why_no_sandbox = _why_no_sandbox(context.environ)
    findings = [*_chosen(context, states), *_needed(context, states, why_no_sandbox)]
    note = "none is needed to run or serve a project, and for most images"
    details = tuple(state.describe() for state in states.values())
    return Result(tuple(findings), note=note, details=(*details, _sandbox_line(why_no_sandbox)))


def examine_engines(environ: Mapping[str, str]) -> dict[str, EngineState]:
    """Return what is known of each engine; all are asked at once."""
    with ThreadPoolExecutor(len(NAMES)) as pool:
        states = pool.map(partial(_examine, environ), NAMES)
        return {state.name: state for state in states}


def _examine(environ: Mapping[str, str], name: str) -> EngineState:
    from cogworks.build.stages.choose import why_not
    from cogworks.engines.containers.engine import NAMES as CONTAINERS
    from cogworks.engines.containers.find import examine

    version, why_no_containers = "", "runs no containers for cog"
    if name in CONTAINERS:
        engine = examine(name, environ, ENGINE_TIMEOUT_S)
        version, why_no_containers = engine.version, engine.why_not
        if why_no_containers:
            return EngineState(name, version, why_no_containers, why_no_containers)
    return EngineState(name, version, why_no_containers, why_not(name, environ, ENGINE_TIMEOUT_S))


def _why_no_sandbox(environ: Mapping[str, str]) -> str:
    from cogworks.build.stages.choose import why_not

    return why_not(SANDBOX, environ, ENGINE_TIMEOUT_S)


def _sandbox_line(why_not: str) -> str:
    """Return the line of the report for the engine that is a part of this program, and has to be asked for."""
    if why_not:
        return f"{SANDBOX} {why_not}"
    return f"{SANDBOX}, where it is asked for (`cog build --engine {SANDBOX}`): {EXECUTES}"


def _chosen(context: Context, states: Mapping[str, EngineState]) -> Iterator[Finding]:
    """Find the engine that COG_ENGINE names, if it does not answer."""
    chosen = states.get(context.environ.get("COG_ENGINE", "local"))
    if chosen is None or not chosen.why_no_containers:
        return
    hint = f"Install and start {chosen.name}, or unset COG_ENGINE: the local engine needs neither"
    message = f"COG_ENGINE is {chosen.name}, but {chosen.name} {chosen.why_no_containers}"
    yield Finding(message, CODE, hint=hint)


def _needed(
    context: Context, states: Mapping[str, EngineState], why_no_sandbox: str
) -> Iterator[Finding]:
    """Find what an image of the project needs an engine for, if there is none that can do it."""
    from cogworks.build.stages.stage import needed_stages

    if context.project is None or any(not state.why_no_steps for state in states.values()):
        return
    others = "" if why_no_sandbox else f", build with `--engine {SANDBOX}`"
    hint = (
        f"Install buildah, podman or docker{others}, or build elsewhere; "
        "`cog run` and `cog serve` need none"
    )
    for stage in needed_stages(context.project):
        message = f"{stage.reason} No engine here can do that"
        yield Finding(message, CODE, Severity.WARNING, hint=hint)
