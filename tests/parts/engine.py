"""A program that handles images and containers, with an environment that keeps it off everything else on the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Engine:
    """docker, podman, buildah or skopeo.

    Attributes:
        client: the path of the program.
        environment: all variables that it gets; with them, any other command reaches the same engine.
    """

    client: str
    environment: Mapping[str, str] = field(repr=False)

    def run(
        self,
        *arguments: str,
        input: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; an error has its output.

        Raises:
            AssertionError: it failed, unless ``check`` is false.
        """
        done = subprocess.run(
            [self.client, *arguments],
            input=input,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            check=False,
        )
        output, errors = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        name = os.path.basename(self.client)
        assert not check or done.returncode == 0, f"{name} {' '.join(arguments)}: {output}{errors}"
        return subprocess.CompletedProcess(done.args, done.returncode, output, errors)

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes, whether it runs or is there at all."""
        self.run("rm", "--force", "--volumes", container, check=False)


def plain_environment(home: str) -> dict[str, str]:
    """Return variables without plugins, contexts, proxies or credentials of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": home}
