"""Which steps of a project's build have to execute something inside the image, and why; pure.

Everything else of an image is put together without running anything. In the order of the image, lowest first:

    SystemPackages   apt installs what `build.system_packages` names, directly on the base
    SourceWheels     requirements that come as source only are built into wheels, on the base and its system packages
    Commands         `build.run`, then `build.pre_install`, above the packages and below the code
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cogworks.oci.errors import quoted
from cogworks.project.model import Project, RunCommand


@dataclass(frozen=True, slots=True)
class SystemPackages:
    """apt installs packages on the base.

    Attributes:
        packages: each once, sorted.
        place: where they stand, as `cog.yaml:4`.
    """

    packages: tuple[str, ...]
    place: str

    @property
    def title(self) -> str:
        """What is made, in a few words."""
        return "system packages"

    @property
    def reason(self) -> str:
        """Why this has to execute something: a sentence."""
        return (
            f"{self.place}: build.system_packages has {', '.join(self.packages)}: "
            "apt installs them on the base image."
        )


@dataclass(frozen=True, slots=True)
class SourceWheels:
    """Wheels are built of packages that have none for the target; ``packages`` are as `pixel 1.0`."""

    packages: tuple[str, ...]

    @property
    def title(self) -> str:
        """What is made, in a few words."""
        return "wheels from source"

    @property
    def reason(self) -> str:
        """Why this has to execute something: a sentence."""
        come = "comes" if len(self.packages) == 1 else "come"
        return (
            f"{', '.join(self.packages)} {come} as source only: wheels are built on the base image."
        )


@dataclass(frozen=True, slots=True)
class PlacedCommand:
    """A command of the project; ``key`` is as `build.run[0]`, ``place`` as `cog.yaml:7`."""

    command: RunCommand
    key: str
    place: str


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands of the project run in the image, in this order."""

    commands: tuple[PlacedCommand, ...]

    @property
    def title(self) -> str:
        """What is made, in a few words."""
        return "commands"

    @property
    def reason(self) -> str:
        """Why this has to execute something: a sentence."""
        first = self.commands[0]
        rest = len(self.commands) - 1
        more = f" and {rest} more" if rest else ""
        return f"{first.place}: {first.key} runs {quoted(first.command.command)}{more} inside the image."


Stage: TypeAlias = SystemPackages | SourceWheels | Commands


def needed_stages(project: Project, sources: Sequence[str] = ()) -> tuple[Stage, ...]:
    """Return the steps that have to execute something, lowest first; empty for most projects.

    Args:
        sources: the packages of the lock that come as source only, as `pixel 1.0`.
    """
    found: list[Stage] = []
    packages = system_packages(project)
    if packages:
        found.append(SystemPackages(packages, _place(project, "build.system_packages")))
    if sources:
        found.append(SourceWheels(tuple(sources)))
    commands = commands_of(project)
    if commands:
        found.append(Commands(commands))
    return tuple(found)


def system_packages(project: Project) -> tuple[str, ...]:
    """Return what apt has to install: each name once, sorted; one entry may hold several names."""
    words = {word for entry in project.build.system_packages for word in entry.split()}
    return tuple(sorted(words))


def commands_of(project: Project) -> tuple[PlacedCommand, ...]:
    """Return the commands of a project in the order in which they run."""
    return tuple(_commands(project))


def _commands(project: Project) -> Iterator[PlacedCommand]:
    build = project.build
    older = (RunCommand(command) for command in build.pre_install)
    for name, commands in (("build.run", build.run), ("build.pre_install", older)):
        for index, command in enumerate(commands):
            key = f"{name}[{index}]"
            # An empty line runs nothing, and a Dockerfile would not take it.
            if command.command.strip():
                yield PlacedCommand(command, key, _place(project, key))


def _place(project: Project, key: str) -> str:
    line = project.lines.get(key, project.lines.get(f"{key}.command"))
    name = project.config_path.name
    return name if line is None else f"{name}:{line}"
