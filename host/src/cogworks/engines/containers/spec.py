"""What a container is started with, and how docker and podman spell it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.engines.containers.engine import DOCKER, ContainerEngine
from cogworks.engines.containers.errors import GpuError

SHM_SIZE = "6g"
"""Workers of data loaders share tensors there; docker's own default, 64 MB, is too little. Source: Cog."""
LOOPBACK = "127.0.0.1"
HOST_NAME = "host.docker.internal"
"""By what a container knows the machine that it runs on."""
_GATEWAY_SINCE = (4, 7)
"""Podman's first release that knows `host-gateway`; before, it has `host.containers.internal` alone."""

_CLIENTS_OWN = re.compile(
    r"(DOCKER|CONTAINER|BUILDKIT|REGISTRY|STORAGE|XDG|SSL|SSH|LD|GO)[A-Z0-9_]*"
    r"|PATH|HOME|USER|TMPDIR|(?i:(http|https|no|all)_proxy)"
)
"""Variables that change what docker and podman themselves do."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container at an address of the machine; 0 lets the engine choose one."""

    inside: int
    outside: int = 0
    address: str = LOOPBACK


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the machine inside a container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Gpus:
    """Which GPUs a container gets: all, so many, or those of a list.

    Attributes:
        is_automatic: nobody asked for them; a machine without runs the model all the same.
    """

    count: int | None = None
    devices: tuple[str, ...] = ()
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a container has of the user's terminal."""

    has_stdin: bool = False
    is_tty: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """A container to be.

    Attributes:
        image: its name or ID; the engine has it.
        command: instead of the image's; empty for that.
        entrypoint: instead of the image's; one program.
        platform: that of the image.
        user: instead of the image's.
    """

    image: str
    command: tuple[str, ...] = ()
    entrypoint: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    gpus: Gpus | None = None
    platform: str = ""
    user: str = ""
    working_dir: str = ""
    reaches_host: bool = False
    terminal: Terminal = Terminal()


def parse_gpus(text: str) -> Gpus:
    """Return the GPUs that `all`, a number, or `device=0,1` asks for.

    Raises:
        GpuError: it is none of these.
    """
    if text == "all":
        return Gpus()
    if text.isascii() and text.isdigit() and int(text) > 0:
        return Gpus(count=int(text))
    key, equals, names = text.partition("=")
    devices = tuple(name for name in names.split(",") if name)
    if key == "device" and equals and devices and all(map(_is_device, devices)):
        return Gpus(devices=devices)
    raise GpuError(f'invalid GPU specification "{text[:80]}": use all, a number, or device=0,1')


def run_command(engine: ContainerEngine, spec: ContainerSpec, name: str) -> list[str]:
    """Return the command line that runs a container until it ends, and removes it then."""
    return [
        engine.program,
        "run",
        "--name",
        name,
        *_options(engine, spec),
        spec.image,
        *spec.command,
    ]


def client_environment(engine: ContainerEngine, spec: ContainerSpec) -> dict[str, str]:
    """Return the variables for that command: it hands some of its own on to the container.

    Values in a command line are seen by everybody on the machine; these are not.
    """
    handed_on = {
        name: value
        for name, value in spec.environment.items()
        if _is_handed_on(name, value, engine)
    }
    return {**engine.environment, **handed_on}


def _options(engine: ContainerEngine, spec: ContainerSpec) -> Iterator[str]:
    yield from ("--rm", "--pull", "never", "--shm-size", SHM_SIZE)
    if spec.platform:
        yield from ("--platform", spec.platform)
    if spec.terminal.has_stdin:
        yield "--interactive"
    if spec.terminal.is_tty:
        yield "--tty"
    for port in spec.ports:
        address = f"[{port.address}]" if ":" in port.address else port.address
        yield from ("--publish", f"{address}:{port.outside or ''}:{port.inside}")
    for mount in spec.mounts:
        yield from ("--mount", _mount(mount))
    for name, value in spec.environment.items():
        yield from ("--env", name if _is_handed_on(name, value, engine) else f"{name}={value}")
    if spec.mounts and engine.is_podman:
        # SELinux, which podman's systems have on, would keep the container from the folder.
        yield from ("--security-opt", "label=disable")
    if spec.user:
        yield from ("--user", spec.user)
    if spec.entrypoint:
        yield from ("--entrypoint", spec.entrypoint)
    if spec.working_dir:
        yield from ("--workdir", spec.working_dir)
    if spec.reaches_host and _knows_gateway(engine):
        yield from ("--add-host", f"{HOST_NAME}:host-gateway")
    if spec.gpus is not None:
        yield from _gpus(engine, spec.gpus)


def _is_handed_on(name: str, value: str, engine: ContainerEngine) -> bool:
    if name in engine.environment:
        return engine.environment[name] == value
    return _CLIENTS_OWN.fullmatch(name) is None


def _mount(mount: Mount) -> str:
    # A line of CSV: a comma or a quote in a path would be one of the syntax.
    fields = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
    if mount.read_only:
        fields.append("readonly")
    return ",".join(_csv(one) for one in fields)


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"') else text


def _knows_gateway(engine: ContainerEngine) -> bool:
    return not engine.is_podman or engine.release >= _GATEWAY_SINCE


def _gpus(engine: ContainerEngine, gpus: Gpus) -> Iterator[str]:
    if engine.name == DOCKER:
        yield "--gpus"
        if gpus.devices:
            # The quotes are part of the value, which is a line of CSV.
            yield f'"device={",".join(gpus.devices)}"'
        else:
            yield "all" if gpus.count is None else str(gpus.count)
        return
    # Podman knows GPUs as devices of CDI.
    names = gpus.devices or (("all",) if gpus.count is None else tuple(map(str, range(gpus.count))))
    for name in names:
        yield from ("--device", f"nvidia.com/gpu={name}")


def _is_device(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9:_-]+", name) is not None
