"""What removes a container when whoever runs it is gone, however it went: also by SIGKILL, also with the terminal.

A shell waits at the end of a pipe. As long as somebody holds the other end, it waits; when the kernel closes it, the
shell removes the container. It is in a session of its own, so what ends a terminal's programs does not end it.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine

SHELL = "/bin/sh"
SCRIPT = """
trap '' HUP INT QUIT TERM
pauses=$1; shift
read -r word && exit
for pause in $pauses; do
  sleep "$pause"
  "$@"
done
"""
PAUSES = {DOCKER: "0 1", PODMAN: "0"}
"""Docker's daemon may still be making the container when its owner dies; podman has no daemon."""
RELEASE = b"released\n"


class Lifeline:
    """Holds the end of the pipe; made before the container is, released when it is gone."""

    def __init__(self, engine: ContainerEngine, name: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if os.name == "nt":
            return
        reader, self._writer = os.pipe()
        try:
            self._process = subprocess.Popen(
                [SHELL, "-c", SCRIPT, "sh", PAUSES[engine.server], *removal(engine, name)],
                env=dict(engine.environment),
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    def release(self) -> None:
        """Let the shell go, since there is nothing left to remove."""
        if self._process is None:
            return
        with suppress(OSError):
            os.write(self._writer, RELEASE)
        os.close(self._writer)
        self._process.wait()
        self._process = None

    def pass_on(self) -> None:
        """Leave the end of the pipe open in the program that this process becomes."""
        if self._process is not None:
            os.set_inheritable(self._writer, True)
            # Nobody waits for it any more.
            self._process.returncode = 0


def removal(engine: ContainerEngine, name: str) -> list[str]:
    """Return the command that ends and removes a container at once, with its anonymous volumes."""
    # Podman would ask it to end first, and wait for that.
    at_once = ["--time", "0"] if engine.name == PODMAN else []
    return [engine.program, "rm", "--force", "--volumes", *at_once, name]
