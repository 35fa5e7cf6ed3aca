"""A folder for an engine's storage: short of name, gone at the end with whatever is mounted in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MEMORY_BYTES, ENOUGH_BYTES = 6 * 2**30, 10 * 2**30
"""Storage is in memory where this much is free: unpacking and removing tens of thousands of files takes a minute on a disk."""


@contextmanager
def storage_folder(name: str) -> Generator[Path]:
    """Make a folder while the block runs; its path is short, since the paths of sockets below it are limited."""
    folder = Path(tempfile.mkdtemp(prefix=f"cog-{name}-"))
    try:
        _mount_memory(folder)
        yield folder
    finally:
        # What a command that was killed has left mounted, and the memory itself.
        mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
        for mount in sorted((one for one in mounts if _is_within(one, folder)), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount_memory(folder: Path) -> None:
    if os.geteuid() == 0 and _available_bytes() >= ENOUGH_BYTES:
        options = f"size={MEMORY_BYTES},mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "cog-tests", str(folder)]
        subprocess.run(command, check=False, capture_output=True)


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _is_within(path: str, folder: Path) -> bool:
    return path == str(folder) or path.startswith(f"{folder}/")
