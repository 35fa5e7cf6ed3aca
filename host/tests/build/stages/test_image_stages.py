"""Images of projects that execute something while they are built: real apt, real engines, real registry."""

from __future__ import annotations

import os
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cogworks.build.assemble import BuiltImage, How, assemble
from cogworks.build.base_image import find_base
from cogworks.build.cache import Cache
from cogworks.build.errors import NoEngineError, SecretError, StageError
from cogworks.build.stages.choose import why_not
from cogworks.build.stages.secrets import SecretSource
from cogworks.build.stages.tools import StageOptions
from cogworks.oci.layer import Codec
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import Reference
from cogworks.project import load_project
from cogworks.registry.client import Client
from host.tests.build.bases import offline, write_server_wheels
from host.tests.build.conftest import write_wheel
from tests.parts.engine import Engine as Part
from tests.parts.fixtures import base_reference, buildah, debian, docker, podman, real_registry

__all__ = ["base_reference", "buildah", "debian", "docker", "podman", "real_registry"]

pytestmark = [pytest.mark.slow, pytest.mark.network]

CONFIG = """\
build:
  python_version: "3.11"
  system_packages:
    - tini
  run:
    - echo $GREETING > /opt/greeting && pip --version
    - command: wc -c < /run/secrets/key > /opt/size; cat /run/secrets/key
      mounts: [{type: secret, id: key, target: /run/secrets/key}]
environment:
  - GREETING=hello
run: run.py:Runner
"""
# apt takes a while: it runs only where it is the subject.
COMMANDS_ONLY = CONFIG.replace("  system_packages:\n    - tini\n", "")
RUN = "from cog import BaseRunner\n\n\nclass Runner(BaseRunner):\n    def run(self) -> str:\n        return ''\n"
HUSH = "hunter22-is-not-to-be-seen"
PIP = "print('pip of the model')\n"


@dataclass
class Shown:
    """A display that remembers."""

    lines: list[str] = field(default_factory=list[str])

    def stage(self, text: str) -> None:
        self.lines.append(text)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def done(self, text: str) -> None:
        self.lines.append(text)


class Bench:
    """A project, a machine with some engines, and caches."""

    def __init__(self, root: Path, base: Reference) -> None:
        self.root, self.base, self.shown = root, base, Shown()
        self.project, self.packages = root / "project", root / "packages"
        self.project.mkdir()
        self.write("cog.yaml", COMMANDS_ONLY)
        self.write("run.py", RUN)
        self.server_packages = write_server_wheels(self.packages)
        main = {"pip/__init__.py": "", "pip/__main__.py": "def main():\n    " + PIP}
        script = "[console_scripts]\npip = pip.__main__:main\n"
        write_wheel(self.packages, "pip", "25.3", files=main, entry_points=script)
        write_wheel(self.packages, "setuptools", "80.9.0")
        write_wheel(self.packages, "wheel", "0.45.1")

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def build(self, part: Part | None, cache: Cache, **fields: object) -> BuiltImage:
        """Build with an engine, or without any."""
        variables = offline(self.root, self.packages)
        name = None
        if part is None:
            programs = self.root / "programs"
            programs.mkdir(exist_ok=True)
            variables["PATH"] = str(programs)
        else:
            variables |= part.environment
            variables["PATH"] = f"{Path(part.client).parent}:{os.environ['PATH']}"
            name = Path(part.client).name
        sources = (SecretSource("key", variable="KEY"),)
        values: dict[str, object] = {"stages": StageOptions(name, sources), **fields}
        how = How(bytecode=False, server_packages=self.server_packages, **values)  # type: ignore[arg-type]
        platform = parse_platform(os.uname().machine)
        with Client() as client:
            base = find_base(lambda: client, self.base, platform, (3, 11), cache)
            project = load_project(self.project)
            environment = {**variables, "KEY": HUSH}
            return assemble(
                project, base, cache, self.shown, how, environment, connect=lambda: client
            )

    def cache(self, name: str = "cache") -> Cache:
        return Cache(self.root / name)


@pytest.fixture
def bench(tmp_path: Path, base_reference: Reference) -> Bench:
    return Bench(tmp_path, base_reference)


@pytest.fixture(scope="session")
def engines(docker: Part, buildah: Part) -> tuple[Part, Part]:
    return docker, buildah


def layer_of(image: BuiltImage, title: str) -> dict[str, tarfile.TarInfo]:
    (path,) = [one.cached.path for one in image.layers if one.title == title]
    with tarfile.open(path) as archive:
        return {info.name: info for info in archive}


def titles(image: BuiltImage) -> list[str]:
    return [one.title for one in image.layers]


def test_two_engines_with_two_caches_give_one_digest_and_no_trace_of_a_secret(
    bench: Bench, engines: tuple[Part, Part]
) -> None:
    bench.write("cog.yaml", CONFIG)
    first = bench.build(engines[0], bench.cache("one"))
    second = bench.build(engines[1], bench.cache("two"))
    assert [one.cached.layer.diff_id for one in first.layers] == [
        one.cached.layer.diff_id for one in second.layers
    ]
    assert first.digest == second.digest
    assert titles(first)[0] == "system packages"
    assert titles(first)[-4:] == ["pip", "commands", "code", "metadata"]
    assert "usr/bin/tini" in layer_of(first, "system packages")
    assert "var/lib/dpkg/status" in layer_of(first, "system packages")
    assert {"opt/greeting", "opt/size"} <= set(layer_of(first, "commands"))
    shown = "\n".join(bench.shown.lines)
    assert "pip of the model" in shown
    assert HUSH not in shown
    assert "***" in shown
    for name in ("one", "two"):
        assert not secret_in(bench.root / name)
    assert HUSH.encode() not in first.config.to_bytes() + first.manifest.to_bytes()
    assert not [one for one in first.config.run.env if one.startswith(("SOURCE_DATE", "SSL_"))]


def secret_in(folder: Path) -> bool:
    """Search every file of a folder, and what is packed in it."""
    command = ["grep", "--recursive", "--quiet", "--text", HUSH, str(folder)]
    if subprocess.run(command, check=False).returncode == 0:
        return True
    for path in (folder / "oci" / "blobs" / "sha256").iterdir():
        with tarfile.open(path) as archive:
            for info in archive:
                file = archive.extractfile(info) if info.isreg() else None
                if HUSH in info.name or (file is not None and HUSH.encode() in file.read()):
                    return True
    return False


def test_what_ran_once_does_not_run_again(bench: Bench, buildah: Part) -> None:
    cache = bench.cache()
    first = bench.build(buildah, cache)
    bench.shown.lines.clear()
    # Not even an engine is needed, however layers are packed, and whatever the secret is.
    again = bench.build(None, cache)
    packed = bench.build(None, cache, codec=Codec.ZSTD)
    assert again.digest == first.digest
    assert packed.config.image_id == first.config.image_id
    bench.write("run.py", RUN.replace("''", "'x'"))
    edited = bench.build(None, cache)
    assert [one.title for one in edited.layers if one.cached.is_new] == ["code"]
    assert not [line for line in bench.shown.lines if "buildah" in line]
    # But without the cache it does, and so do commands that were edited.
    without = bench.build(buildah, Cache(bench.root / "cache", is_reused=False))
    assert without.digest == edited.digest
    bench.write("cog.yaml", COMMANDS_ONLY.replace("> /opt/greeting", "> /opt/hello"))
    other = bench.build(buildah, cache)
    assert "opt/hello" in layer_of(other, "commands")
    assert bench.shown.lines.count("Running 2 commands of cog.yaml with buildah") == 2


def test_the_sandbox_makes_the_image_that_buildah_makes(bench: Bench, buildah: Part) -> None:
    variables = {"PATH": os.environ["PATH"]}
    reason = why_not("sandbox", variables, 15.0)
    if reason:
        pytest.skip(f"the sandbox {reason}")
    bench.write("cog.yaml", CONFIG)
    first = bench.build(buildah, bench.cache("one"))
    second = bench.build(Part("/nowhere/sandbox", variables), bench.cache("two"))
    assert "Running 2 commands of cog.yaml with sandbox" in bench.shown.lines
    assert HUSH not in "\n".join(bench.shown.lines)
    assert second.digest == first.digest


def test_a_package_that_does_not_exist_is_named(bench: Bench, buildah: Part) -> None:
    bench.write("cog.yaml", CONFIG.replace("- tini", "- tini\n    - no-such-package"))
    with pytest.raises(StageError) as raised:
        bench.build(buildah, bench.cache())
    text = str(raised.value)
    assert text.startswith(
        "cog.yaml:3: build.system_packages: the base image's Debian or Ubuntu has no package "
        "'no-such-package'."
    )
    assert "E: Unable to locate package no-such-package" in text


def test_a_command_that_fails_leaves_no_layer(bench: Bench, buildah: Part) -> None:
    bench.write("cog.yaml", COMMANDS_ONLY.replace("pip --version", "exit 7"))
    cache = bench.cache()
    with pytest.raises(StageError, match=r"^cog\.yaml:4: build\.run\[0\] failed with exit code 7"):
        bench.build(buildah, cache)
    assert list((cache.root / "tmp").iterdir()) == []


def test_without_an_engine_the_reasons_are_said(bench: Bench) -> None:
    bench.write("cog.yaml", CONFIG)
    with pytest.raises(NoEngineError) as raised:
        bench.build(None, bench.cache())
    text = str(raised.value)
    assert "cog.yaml:3: build.system_packages has tini" in text
    assert "cog.yaml:6: build.run[0] runs" in text
    assert "  buildah is not installed" in text


def test_a_secret_that_is_missing_is_said_before_anything_starts(bench: Bench) -> None:
    with pytest.raises(SecretError, match=r"cog\.yaml:5: build\.run\[1\] wants the secret 'key'"):
        bench.build(None, bench.cache(), stages=StageOptions())
    assert bench.shown.lines == []
