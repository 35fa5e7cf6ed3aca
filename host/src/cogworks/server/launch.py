"""How to start a worker: which Python, which model, where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class WorkerLaunch:
    """All that a worker process needs to be started.

    ``python`` is the model's interpreter, ``sdk_tree`` a folder with ``__main__.py`` and ``cog/``,
    ``ref`` is ``file.py:Name`` below ``project_dir``, ``mode`` is ``run`` or ``train``,
    ``environment`` the complete environment of the process.
    """

    python: Path
    sdk_tree: Path
    project_dir: Path
    ref: str
    mode: str = "run"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def command(self, data_fd: int, control_fd: int, lifeline_fd: int) -> list[str]:
        """Return the command line; the descriptors are the worker's ends of the bridge."""
        bridge = f"{data_fd},{control_fd},{lifeline_fd}"
        return [str(self.python), str(self.sdk_tree), "--bridge", bridge]
