"""How a fake registry misbehaves: a fault is asked for in a test, fits some requests, and happens so many times."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from cogworks.testing.registry_state import Seen


@dataclass
class Fault:
    """One fault.

    Attributes:
        method, path: which requests it fits; ``path`` is a regular expression that is searched for.
        times: how often it happens; then the registry behaves again.
        skip: so many fitting requests are let through first.
        status: answer with this and with the headers and the error code.
        cut_after_bytes: take or send so much of a body, then cut the connection.
        delay_s: wait before the answer.
        replace_body: answer with these bytes instead of the right ones.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    status: int = 0
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut_after_bytes: int | None = None
    delay_s: float = 0
    replace_body: bytes | None = None

    def fits(self, seen: Seen) -> bool:
        """Return whether a request is one that the fault is for."""
        return self.method in ("", seen.method) and bool(re.search(self.path, seen.target))


class Faults:
    """The faults that are still to happen, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._waiting.clear()

    def take(self, seen: Seen) -> Fault | None:
        """Return the fault that happens to a request, if one does."""
        with self._lock:
            for fault in self._waiting:
                if not fault.fits(seen):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
