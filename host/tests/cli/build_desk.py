"""A project, a cache and a registry on loopback: where tests call `cog build` and `cog push` as a user types them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from cogworks.cli.build import command as build_command
from cogworks.cli.push import command as push_command
from cogworks.cli.state import State
from cogworks.registry.client import Client
from host.tests.build.bases import offline, push_base, write_server_wheels
from host.tests.build.conftest import write_wheel

CONFIG = """\
build:
  python_version: "3.11"
  python_packages:
    - msgspec==0.14
run: run.py:Runner
"""
RUN = """\
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""


TIMEOUT_S = 300


class Desk:
    """A project, a cache, and the commands as a user types them."""

    def __init__(self, root: Path, host: str) -> None:
        self.root, self.host = root, host
        self.project, packages = root / "my project", root / "packages"
        self.project.mkdir()
        self.write("cog.yaml", CONFIG)
        self.write("run.py", RUN)
        listed = write_server_wheels(packages)
        write_wheel(packages, "msgspec", "0.14")
        with Client() as client:
            self.base = str(push_base(client, host))
        self.environ = {
            **offline(root, packages),
            "COG_CACHE_DIR": str(root / "cache"),
            "COG_SERVER_PACKAGES": str(listed),
            "DOCKER_CONFIG": str(root / "docker"),
        }

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def build(self, *arguments: str, **environ: str) -> Result:
        # Whatever engine the machine has, it is not for tests.
        given = ["--base-image", self.base, "--no-load", *arguments]
        return self.call(build_command, given, environ)

    def push(self, *arguments: str, **environ: str) -> Result:
        return self.call(push_command, ["--base-image", self.base, *arguments], environ)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start the real command in the project, as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cogworks.cli", *arguments],
            cwd=self.project,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the real command to its end; whatever it comes to, it shows no traceback."""
        with self.start(*arguments, **environ) as process:
            output, errors = process.communicate(timeout=TIMEOUT_S)
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def leftovers(self) -> list[Path]:
        """Return what a command has left in the cache's folder of unfinished files."""
        return list((self.root / "cache" / "oci" / "tmp").glob("*"))

    def call(self, command: object, arguments: list[str], environ: dict[str, str]) -> Result:
        state = State({**self.environ, **environ})
        return CliRunner().invoke(command, arguments, obj=state, env=state.environ)  # type: ignore[arg-type]


def text_of(result: Result) -> str:
    assert result.exit_code == 0, result.exception or result.stderr
    return result.stderr


def message_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one message of a command that failed, on one line."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("error: ") == 1, done.stderr
    return " ".join(done.stderr.partition("error: ")[2].split())
