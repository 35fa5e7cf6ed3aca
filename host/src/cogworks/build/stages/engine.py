"""What an engine has to be able to do: take an image, run commands on it, hand over what they changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cogworks.build.stages.below import Below
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.secrets import Secret

PREFIX = "localhost/cogworks-stage-"
"""What names of our images begin with, while an engine has them; nothing has such a name for longer than a stage."""


@dataclass(frozen=True, slots=True)
class Network:
    """How commands reach the network.

    Attributes:
        is_host: they use this machine's network as it is, ports on loopback included.
        proxies: `HTTP_PROXY` and its like, for the time of the build.
    """

    is_host: bool = False
    proxies: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True)
class Job:
    """Commands to run on an image.

    Attributes:
        files: name -> a file that is copied to the root of the image before; no layer of ours has it.
        no_cache: run them even if the engine remembers a result.
        variables: of the builder, for secrets that are not in its environment anyway.
        name: of the image that the engine gets; one that no other build uses, if it is empty.
    """

    below: Below
    steps: tuple[Step, ...]
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    secrets: tuple[Secret, ...] = ()
    network: Network = Network()
    no_cache: bool = False
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    name: str = ""


class Engine(Protocol):
    """Runs commands inside images: one of buildah, docker, podman."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def run(self, job: Job, folder: Path, on_line: Callable[[str], None]) -> Sequence[Path]:
        """Run a job; return its layers as plain tar files in a folder, lowest first.

        Afterwards the engine is as it was, but for its own cache; also after an error or an interruption.

        Args:
            folder: an empty one, with room for an image.
            on_line: hears what the commands print, without secrets.

        Raises:
            CommandError: a command failed.
            StageError: the engine cannot do it.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove the images and the container of a job, by its name, as far as they are there."""
        ...
