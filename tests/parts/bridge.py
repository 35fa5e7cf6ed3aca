"""A network bridge for one daemon: daemons that shared `docker0` would give their containers the same addresses."""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.parts.missing import MissingPart, find_program

_NAME = re.compile(r"cog(\d+)x\d+")


@contextmanager
def bridge() -> Generator[str]:
    """Make a bridge with a network of its own while the block runs; the value is its name.

    Raises:
        MissingPart: the kernel does not let us.
    """
    program = find_program("ip", "iproute2")
    _remove_orphans(program)
    name = next(one for one in _names() if not _path(one).exists())
    # Of 10.64.0.0/10, a network of 254 addresses; which one follows from the name, so that two processes differ.
    number = zlib.crc32(name.encode()) % 2**14
    address = f"10.{64 + (number >> 8)}.{number & 255}.1/24"
    _ip(program, "link", "add", name, "type", "bridge")
    try:
        _ip(program, "address", "add", address, "dev", name)
        _ip(program, "link", "set", name, "up")
        yield name
    finally:
        subprocess.run([program, "link", "delete", name], check=False, capture_output=True)


def _names() -> Generator[str]:
    for number in range(100):
        yield f"cog{os.getpid()}x{number}"


def _path(name: str) -> Path:
    return Path("/sys/class/net", name)


def _remove_orphans(program: str) -> None:
    """Remove bridges whose process was killed."""
    for path in Path("/sys/class/net").iterdir():
        match = _NAME.fullmatch(path.name)
        if match and not Path("/proc", match[1]).exists():
            subprocess.run([program, "link", "delete", path.name], check=False, capture_output=True)


def _ip(program: str, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise MissingPart(f"no network can be made here: {done.stderr.strip()}")
