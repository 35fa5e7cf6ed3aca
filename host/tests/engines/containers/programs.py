"""Programs that stand for docker and podman: shell scripts in a folder that is all of PATH."""

from __future__ import annotations

import json
from pathlib import Path

DOCKER_CLIENT = {"Version": "20.10.24", "ApiVersion": "1.41", "DefaultAPIVersion": "1.41"}
PODMAN_CLIENT = {"Version": "4.3.1", "APIVersion": "4.3.1"}


def docker_version(server: object) -> str:
    """Return what `docker version --format '{{json .}}'` prints."""
    return json.dumps({"Client": DOCKER_CLIENT, "Server": server})


def podman_info() -> str:
    """Return what matters of what `podman info --format '{{json .}}'` prints."""
    return json.dumps({"host": {"serviceIsRemote": False}, "version": PODMAN_CLIENT})


def write_programs(folder: Path, **scripts: str) -> dict[str, str]:
    """Write programs; return the environment in which there are no others."""
    folder.mkdir(exist_ok=True)
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return {"PATH": str(folder)}


def says(text: str, *, error: str = "", code: int = 0) -> str:
    """Return a script that prints, complains and exits."""
    return f"echo '{text}'; echo '{error}' >&2; exit {code}"
