"""The processes below a process, and their memory, from /proc (Linux)."""

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process, told apart from a later one with the same number by its start."""

    pid: int
    started_ticks: int


def find_tree(root_pid: int) -> list[Process]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    found: dict[int, Process] = {}
    for directory in PROC.iterdir():
        if not directory.name.isdigit():
            continue
        stat = read_stat(int(directory.name))
        if stat is not None:
            parent, process = stat
            children.setdefault(parent, []).append(process.pid)
            found[process.pid] = process
    tree: list[Process] = []
    waiting = [root_pid]
    while waiting:
        pid = waiting.pop()
        if pid in found:
            tree.append(found[pid])
        waiting.extend(children.get(pid, ()))
    return tree


def read_stat(pid: int) -> tuple[int, Process] | None:
    """Return the parent's number and the process; None if it is gone."""
    fields = _read_fields(pid)
    return None if fields is None else (int(fields[1]), Process(pid, int(fields[19])))


def is_alive(process: Process) -> bool:
    """Tell whether the process still exists and has not only been left unreaped."""
    fields = _read_fields(process.pid)
    return fields is not None and int(fields[19]) == process.started_ticks and fields[0] != "Z"


def measure_pss_bytes(tree: list[Process]) -> int:
    """Return the proportional set size: memory that is shared is divided by its users."""
    return sum(_read_rollup_bytes(process.pid, "Pss:") for process in tree)


def measure_rss_bytes(tree: list[Process]) -> int:
    """Return the resident set size: shared memory counts once for every user."""
    return sum(_read_rollup_bytes(process.pid, "Rss:") for process in tree)


def _read_rollup_bytes(pid: int, field: str) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _read_fields(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third, the state, on. Source: proc(5)."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The second field, a name in parentheses, may hold anything.
    return text.rpartition(")")[2].split()
