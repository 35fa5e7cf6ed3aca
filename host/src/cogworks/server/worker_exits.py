"""Why a worker ended, in words."""

from __future__ import annotations

import signal

from cog._bridge.exits import BRIDGE_LOST

CLOSED_BRIDGE = (
    "it lost its connection to the server; a model must not close descriptors that it has not "
    "opened (os.close, os.closerange)"
)


def describe_exit(code: int, after_s: float) -> str:
    """Say how a worker ended, and why that usually happens."""
    age = f"after {after_s:.0f} s" if after_s >= 1 else f"after {after_s * 1000:.0f} ms"
    if code == BRIDGE_LOST:
        return f"worker exited {age}: {CLOSED_BRIDGE}"
    if code >= 0:
        return f"worker exited with code {code} {age}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    if -code == signal.SIGKILL:
        return f"worker was killed by signal 9 {age}, usually out of memory"
    return f"worker was killed by signal {-code}{name} {age}"
