"""The folder that Docker builds from: written offline, whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from cogworks.build.assemble import How
from cogworks.build.cache import Cache
from cogworks.build.docker_context import DockerContext, write_context
from cogworks.build.errors import BuildError
from cogworks.build.sdk_layer import MAIN
from cogworks.project import load_project
from cogworks.registry.client import Client
from cogworks.testing.registry import FakeRegistry

from .bases import Quiet, offline, pull_base, push_base, write_server_wheels
from .conftest import write_wheel
from .python_mirror import small_python, write_mirror

pytestmark = pytest.mark.slow

CONFIG = """\
build:
  python_version: "3.11"
  python_packages:
    - msgspec==0.14
  weights: [big]
run: run.py:Runner
"""
DOCUMENT = {"openapi": "3.0.2"}


class Bench:
    """A project, a base in a registry, and a folder of wheels that is all there is."""

    def __init__(self, root: Path, client: Client, host: str) -> None:
        self.root, self.client = root, client
        self.project, self.packages = root / "project", root / "packages"
        self.project.mkdir()
        for name, text in {"cog.yaml": CONFIG, "run.py": "", "big/a b.bin": "weights"}.items():
            self.write(name, text)
        self.listed = write_server_wheels(self.packages)
        write_wheel(self.packages, "msgspec", "0.14")
        write_wheel(self.packages, "pip", "25.3", files={"pip/__main__.py": "print('pip')"})
        write_wheel(self.packages, "setuptools", "80.9.0")
        write_wheel(self.packages, "wheel", "0.45.1")
        self.cache = Cache(root / "cache")
        self.variables: dict[str, str] = {}
        self.base = pull_base(client, push_base(client, host), self.cache)

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def context(self, folder: Path, how: How | None = None) -> DockerContext:
        project = load_project(self.project)
        given = how or How(document=DOCUMENT)
        patterns = project.build.weight_patterns
        given = replace(given, weight_patterns=patterns, server_packages=self.listed)
        environment = offline(self.root, self.packages) | self.variables
        return write_context(folder, project, self.base, self.cache, Quiet(), given, environment)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Client() as client, FakeRegistry() as registry:
        yield Bench(tmp_path, client, registry.host)


def files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_everything_that_the_dockerfile_copies_is_there(bench: Bench) -> None:
    folder = bench.root / "context"
    written = bench.context(folder)
    assert written.folder == folder
    text = (folder / "Dockerfile").read_text()
    named = re.findall(r"^COPY (\w+)/ ", text, flags=re.MULTILINE)
    bound = re.findall(r"type=bind,source=(\w+),", text)
    assert {*named, *bound} == {"sdk", "src", "metadata", "tools", "packages", "server"}
    assert {*named, *bound, "weights"} <= {path.name for path in folder.iterdir()}
    assert f"FROM {bench.base.reference.registry}/library/python:3.11-slim@sha256:" in text
    assert files(folder / "src") == ["cog.yaml", "run.py"]
    assert files(folder / "weights") == ["big/a b.bin"]
    assert (folder / "sdk" / "__main__.py").read_bytes() == MAIN
    assert json.loads((folder / "metadata" / "openapi_schema.json").read_text()) == DOCUMENT
    assert ZipFile(folder / "tools" / "pip.pyz").read("pip/__main__.py") == b"print('pip')"


def test_packages_are_exact_with_hashes_and_nothing_of_an_index(bench: Bench) -> None:
    bench.context(bench.root / "context")
    folder = bench.root / "context" / "packages"
    assert files(folder) == ["msgspec-0.14-py3-none-any.whl", "requirements.txt"]
    assert re.fullmatch(
        r"msgspec==0\.14 --hash=sha256:[0-9a-f]{64}\n", (folder / "requirements.txt").read_text()
    )
    assert (bench.root / "context" / "pip_freeze.txt").read_text() == "msgspec==0.14"
    server = files(bench.root / "context" / "server")
    assert {"cogworks", "cogworks_sdk", "dumb_init"} <= {name.partition("-")[0] for name in server}


def test_commands_have_pip_and_their_secrets_are_told(bench: Bench) -> None:
    bench.write("cog.yaml", CONFIG.replace("  weights", SECRET + "  weights"))
    written = bench.context(bench.root / "context")
    assert written.secrets == ("token",)
    listed = (bench.root / "context" / "packages" / "requirements.txt").read_text()
    assert "\npip==25.3 --hash" in listed
    assert "pip" not in (bench.root / "context" / "pip_freeze.txt").read_text()


SECRET = """\
  run:
    - command: cat /t
      mounts: [{type: secret, id: token, target: /t}]
"""


def test_files_can_be_read_by_anybody_and_links_stay_links(bench: Bench) -> None:
    bench.write("tool.sh", "#!/bin/sh\n")
    (bench.project / "tool.sh").chmod(0o700)
    (bench.project / "run.py").chmod(0o600)
    (bench.project / "link").symlink_to("run.py")
    (bench.project / "empty").mkdir()
    previous = os.umask(0o077)
    try:
        bench.context(bench.root / "context")
    finally:
        os.umask(previous)
    source = bench.root / "context" / "src"
    assert (source / "tool.sh").stat().st_mode & 0o777 == 0o755
    assert (source / "run.py").stat().st_mode & 0o777 == 0o644
    assert os.readlink(source / "link") == "run.py"
    assert (source / "empty").stat().st_mode & 0o777 == 0o755


def test_a_context_is_replaced_and_never_copied_into_itself(bench: Bench) -> None:
    folder = bench.project / "out"
    bench.context(folder)
    bench.write("more.py", "")
    (bench.project / "run.py").unlink()
    bench.context(folder)
    assert files(folder / "src") == ["cog.yaml", "more.py"]
    assert [path.name for path in bench.project.iterdir() if path.name.startswith(".")] == []


def test_a_folder_with_something_else_is_left_as_it_is(bench: Bench) -> None:
    folder = bench.root / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(BuildError, match="neither empty nor a context of `cog debug`"):
        bench.context(folder)
    assert files(folder) == ["Dockerfile"]


def test_what_fails_leaves_nothing(bench: Bench) -> None:
    bench.write("cog.yaml", CONFIG + 'environment: ["A=1\\n2"]\n')
    with pytest.raises(BuildError, match="A has a line break"):
        bench.context(bench.root / "context")
    assert not [path.name for path in bench.root.iterdir() if "context" in path.name]


def test_pythons_that_the_base_lacks_come_along(bench: Bench) -> None:
    with FakeRegistry() as registry:
        reference = push_base(bench.client, registry.host, env={})
        bench.base = pull_base(bench.client, reference, bench.cache)
        mirror = bench.root / "mirror"
        bench.variables = write_mirror(mirror, "3.11.9", "x86_64", small_python("3.11.9"))
        bench.context(bench.root / "context")
    text = (bench.root / "context" / "Dockerfile").read_text()
    assert "COPY python3.11/ /opt/python3.11/\n" in text
    assert "/opt/python3.11/bin/python3.11 -m venv --without-pip /opt/venv" in text
    assert "bin/python3.11" in files(bench.root / "context" / "python3.11")


def test_without_a_document_there_is_no_metadata(bench: Bench) -> None:
    bench.context(bench.root / "context", How(document={}))
    assert not (bench.root / "context" / "metadata").exists()
    assert "metadata" not in (bench.root / "context" / "Dockerfile").read_text()
