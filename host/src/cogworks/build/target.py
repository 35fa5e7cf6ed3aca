"""What an image's Python packages are for: a Python, a platform, a C library; and the wheels that run there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from packaging.tags import Tag, compatible_tags, cpython_tags

from cogworks.build.errors import LockError
from cogworks.oci.platform import Platform

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Architectures of images that wheels are chosen for, with the name that wheels give them."""

_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Names of manylinux before PEP 600, by the minor number of glibc 2."""
_OLDEST_GLIBC_MINOR = {"x86_64": 5, "aarch64": 17}

DEFAULT_GLIBC = (2, 36)
"""That of Debian 12, on which `python:X-slim` images rested when this was written; a base says its own."""

OLDEST_SERVER_PYTHON = (3, 11)
"""What the prediction server needs."""
SERVER_PYTHON = (3, 13)
"""The Python of a server that cannot run on the model's."""

UV_GLIBC_MINORS = (17, 28, *range(31, 41))
"""The `manylinux_2_N` platforms that uv resolves for."""


def check_platform(platform: Platform) -> None:
    """Refuse a platform that no packages are chosen for.

    Raises:
        LockError: no wheel can be chosen for it.
    """
    if platform.os != "linux" or platform.architecture not in MACHINES:
        names = " and ".join(f"linux/{name}" for name in MACHINES)
        raise LockError(f"Images are built for {names}, not for {platform}.")


@dataclass(frozen=True)
class Target:
    """Where the packages will run; ``glibc`` is that of the base image."""

    python: tuple[int, int]
    platform: Platform
    glibc: tuple[int, int] = DEFAULT_GLIBC

    def __post_init__(self) -> None:
        """Refuse what no wheel can be chosen for."""
        check_platform(self.platform)

    def __str__(self) -> str:
        major, minor = self.python
        glibc = ".".join(map(str, self.glibc))
        return f"Python {major}.{minor} on {self.platform} (glibc {glibc})"

    @property
    def machine(self) -> str:
        """The architecture as wheels name it: `x86_64`, `aarch64`."""
        return MACHINES[self.platform.architecture]

    @property
    def python_version(self) -> str:
        """The minor version: `3.12`."""
        return ".".join(map(str, self.python))

    @property
    def runs_server(self) -> bool:
        """Whether the prediction server runs on this Python, too; if not, it needs one of its own."""
        return self.python >= OLDEST_SERVER_PYTHON

    @property
    def uv_platform(self) -> str:
        """The name of the platform for uv: the newest glibc that it knows and the base has."""
        fitting = [minor for minor in UV_GLIBC_MINORS if (2, minor) <= self.glibc]
        if not fitting:
            raise LockError(f"The base image is too old for wheels: {self}.")
        return f"{self.machine}-manylinux_2_{max(fitting)}"

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """Tags of wheels that run here, best first."""
        platforms = list(self._platforms())
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        return (
            *cpython_tags(self.python, platforms=platforms),
            *compatible_tags(self.python, interpreter, platforms),
        )

    def _platforms(self) -> Iterator[str]:
        oldest = _OLDEST_GLIBC_MINOR[self.machine]
        for minor in range(self.glibc[1], oldest - 1, -1):
            yield f"manylinux_2_{minor}_{self.machine}"
            if minor in _OLD_NAMES:
                yield f"{_OLD_NAMES[minor]}_{self.machine}"
        yield f"linux_{self.machine}"

    @property
    def marker_environment(self) -> dict[str, str]:
        """What environment markers of requirements are evaluated with."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python_version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python_version}.0",
            "python_version": self.python_version,
            "sys_platform": "linux",
        }
