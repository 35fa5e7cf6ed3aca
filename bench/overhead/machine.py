"""What the numbers were measured on."""

import os
import platform
from pathlib import Path


def describe_machine() -> dict[str, str | int]:
    """Return the processor, cores, memory, kernel and Python of this machine."""
    return {
        "processor": _find_line("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def choose_cpus() -> tuple[frozenset[int], frozenset[int]]:
    """Return the CPUs of the servers and those of the clients.

    With four or more, the clients have the last one to themselves. With fewer, all share all: a
    server and its worker on one CPU would be measured as nobody runs them.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 4:
        return frozenset(usable), frozenset(usable)
    return frozenset(usable[:-1]), frozenset(usable[-1:])


def _find_line(path: str, name: str) -> str | None:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
