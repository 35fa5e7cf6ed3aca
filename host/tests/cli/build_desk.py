"""A project, a cache and a registry on loopback: where tests call `cog build` and `cog push` as a user types them."""

from __future__ import annotations

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

    def call(self, command: object, arguments: list[str], environ: dict[str, str]) -> Result:
        state = State({**self.environ, **environ})
        return CliRunner().invoke(command, arguments, obj=state, env=state.environ)  # type: ignore[arg-type]


def text_of(result: Result) -> str:
    assert result.exit_code == 0, result.exception or result.stderr
    return result.stderr
