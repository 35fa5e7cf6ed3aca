"""Podman, with storage and settings of its own; it has no daemon.

In a small virtual machine it may not raise limits, and crun may not know its cgroups; so limits are low, and runc is taken
where it is installed. Programs get all of that by variables, as from the settings of a user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.parts.dockerd import Docker, unmount_below
from tests.parts.missing import MissingPart, find_program, need_root


@contextmanager
def podman(insecure_registry: str = "") -> Generator[Docker]:
    """Set podman up while the block runs; it starts empty and leaves nothing.

    Args:
        insecure_registry: the host of one that it may talk plain HTTP to.

    Raises:
        MissingPart: it is not installed, this is not root, or it cannot be used here.
    """
    program = find_program("podman", "podman")
    need_root("podman")
    folder = Path(tempfile.mkdtemp(prefix="cog-podman-"))
    try:
        podman = Docker(program, "", _settings(folder, insecure_registry))
        done = podman.run("info", check=False)
        if done.returncode:
            raise MissingPart(f"podman cannot be used here: {done.stderr.strip().splitlines()[-1]}")
        try:
            yield podman
        finally:
            podman.run("rm", "--all", "--force", "--volumes", check=False)
    finally:
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, insecure_registry: str) -> dict[str, str]:
    runtime = "runc" if _has_runc() else "crun"
    files = {
        "containers.conf": (
            "[containers]\n"
            'default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
            "[engine]\n"
            f'runtime = "{runtime}"\n'
            # The usual locks and folders are shared with every other podman of this machine.
            'lock_type = "file"\n'
            f'tmp_dir = "{folder / "tmp"}"\n'
            'events_logger = "file"\n'
        ),
        "storage.conf": (
            "[storage]\n"
            'driver = "overlay"\n'
            f'graphroot = "{folder / "root"}"\n'
            f'runroot = "{folder / "run"}"\n'
        ),
        "registries.conf": (
            f'[[registry]]\nlocation = "{insecure_registry}"\ninsecure = true\n'
            if insecure_registry
            else ""
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
    }


def _has_runc() -> bool:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    program = shutil.which("runc", path=path)
    if program is None:
        return False
    return subprocess.run([program, "--version"], check=False, capture_output=True).returncode == 0
