"""A comparison as data, and a server that takes part in it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.overhead.environments import Environment
from bench.overhead.peers import Peer
from bench.overhead.report import Column
from bench.overhead.server import Launch, Server, find_free_port


@dataclass(frozen=True)
class Entrant:
    """A server that takes part; ``work`` takes its log, ``project`` is its working directory."""

    peer: Peer
    environment: Environment
    project: Path
    work: Path
    cpus: frozenset[int]
    is_ours: bool = False

    def start(self, variables: Mapping[str, str] | None = None) -> Server:
        """Return the server, to be started as a context, with more variables than it has anyway."""
        port = find_free_port()
        words = {"python": self.environment.python, "bin": self.environment.bin, "port": port}
        home = self.work / "home"
        home.mkdir(parents=True, exist_ok=True)
        path = f"{self.environment.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        own = {name: text.format(**words) for name, text in self.peer.variables.items()}
        return Server(
            Launch(
                command=[part.format(**words) for part in self.peer.command],
                directory=self.project,
                variables={
                    "PATH": path,  # coglet finds the Python of its worker there.
                    "HOME": str(home),
                    "LANG": "C.UTF-8",
                    "PYTHONWARNINGS": "ignore",
                    **own,
                    **(variables or {}),
                },
                cpus=self.cpus,
                log=self.work / f"{self.peer.name.replace(' ', '-')}.log",
                port=port,
                health_path=self.peer.health_path,
                ready_text=self.peer.ready_text,
            )
        )


Measure = Callable[[Entrant, float], dict[str, float]]
"""Measures a server for about so many seconds; returns numbers by name."""


@dataclass(frozen=True)
class Contest:
    """What is compared: a project's files, what is measured, which numbers the table shows.

    ``name`` is that of the package, and of the part of docs/performance.md.
    """

    name: str
    question: str
    files: Mapping[str, str]
    measure: Measure
    columns: tuple[Column, ...]
    seconds: float = 5.0
    rounds: int = 5
    needs_wrk: bool = False
    quick: Mapping[str, float] = field(default_factory=lambda: {"rounds": 1, "seconds": 1.0})
