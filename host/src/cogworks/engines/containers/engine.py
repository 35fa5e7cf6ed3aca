"""A container engine as a value: which program, which version, whether it answers, and why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DOCKER, PODMAN = "docker", "podman"
NAMES = (DOCKER, PODMAN)
"""In the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """Docker or podman on this machine.

    Attributes:
        name: whose words the program understands, `docker` or `podman`.
        program: its path; empty if it is not installed.
        environment: the variables that the program runs under; they say which daemon it means.
        version: of what runs the containers: the daemon, or podman itself.
        server: what runs the containers; `podman` also where docker's program talks to podman's socket.
        why_not: why it cannot be used, without a full stop; empty if it answers.
    """

    name: str
    program: str
    environment: Mapping[str, str] = field(repr=False)
    version: str = ""
    server: str = ""
    why_not: str = ""

    @property
    def is_reachable(self) -> bool:
        """Whether it answers."""
        return not self.why_not

    @property
    def is_podman(self) -> bool:
        """Whether podman keeps the images and runs the containers."""
        return self.server == PODMAN

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, such as (20, 10, 24)."""
        return tuple(map(int, re.findall(r"\d+", self.version.partition("+")[0])[:3]))

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()
