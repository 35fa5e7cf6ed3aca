"""The real parts that other tests rest on: they start, they do what they are for, and they leave nothing."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path

import pytest

from cogworks.oci.image import parse_config
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import Reference
from cogworks.registry.client import Client
from cogworks.registry.pull import pull_image
from tests.parts.base_tree import BaseTree, Recipe, base_tree
from tests.parts.docker_registry import docker_registry
from tests.parts.dockerd import Docker, dockerd
from tests.parts.fixtures import base_reference, debian, docker, real_registry, skipping
from tests.parts.missing import MissingPart, find_program
from tests.parts.podman import buildah, podman
from tests.parts.process import running

__all__ = ["base_reference", "debian", "docker", "real_registry"]

NEEDED = "zlib, bz2, lzma, ssl, sqlite3, ctypes, hashlib, multiprocessing, venv"
"""What models and the server import of the standard library."""


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(
        MissingPart, match=r"no-such-program is not installed .*install its-package"
    ):
        find_program("no-such-program", "its-package")


def test_a_server_that_ends_at_once_is_missing_with_its_last_words(tmp_path: Path) -> None:
    code = "import sys; sys.exit('no room here')"
    start = running([sys.executable, "-c", code], tmp_path / "log", lambda: False)
    with pytest.raises(MissingPart, match="does not start here: no room here"), start:
        pass


def test_a_server_is_ended_with_its_block(tmp_path: Path) -> None:
    code = "import time; time.sleep(600)"
    with running([sys.executable, "-c", code], tmp_path / "log", lambda: True) as process:
        assert process.poll() is None
    assert process.returncode is not None


@pytest.mark.slow
def test_two_registries_run_beside_each_other(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    one, two = map(docker_registry, folders)
    with skipping(), one as first, two as second, Client() as client:
        assert first != second
        assert client.check_access(first) is client.check_access(second) is False


@pytest.mark.slow
def test_dockerd_leaves_nothing() -> None:
    with skipping(), dockerd() as docker:
        folder = Path(docker.environment["HOME"])
        assert docker.run("ps", "--quiet").stdout == ""
        assert (folder / "data").is_dir()
    assert not folder.exists()
    assert str(folder) not in Path("/proc/mounts").read_text()


@pytest.mark.slow
def test_podman_leaves_nothing() -> None:
    with skipping(), podman() as engine:
        folder = Path(engine.environment["HOME"])
        assert engine.run("ps", "--all", "--quiet").stdout == ""
        assert engine.run("info", "--format", "{{.Store.GraphRoot}}").stdout == f"{folder}/root\n"
    assert not folder.exists()
    assert str(folder) not in Path("/proc/mounts").read_text()


@pytest.mark.slow
def test_buildah_leaves_nothing() -> None:
    with skipping(), buildah() as engine:
        folder = Path(engine.environment["HOME"])
        assert engine.run("from", "scratch").stdout == "working-container\n"
    assert not folder.exists()
    assert str(folder) not in Path("/proc/mounts").read_text()


@pytest.mark.slow
@pytest.mark.network
def test_a_tree_is_kept_and_has_what_a_base_needs(debian: BaseTree) -> None:
    assert base_tree() == debian
    with tarfile.open(debian.layers[0][1]) as archive:
        members = {one.name: one for one in archive}
    assert members["usr/bin/passwd"].mode == 0o4755
    assert members["tmp"].mode == 0o1777
    assert members["etc/shadow"].gid == 42
    assert members["bin"].linkname == "usr/bin"
    assert any(one.islnk() for one in members.values())
    assert not any(one.isdev() for one in members.values())
    assert "etc/ssl/certs/ca-certificates.crt" in members
    with tarfile.open(debian.layers[1][1]) as archive:
        names = {one.name: one.linkname for one in archive if one.issym()}
    assert names["usr/local/bin/python3.11"] == "/usr/bin/python3.11"


def test_a_tree_that_cannot_be_made_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPart):
        base_tree(Recipe("no-such-suite"), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


@pytest.mark.slow
@pytest.mark.network
def test_the_base_says_which_python_it_has(base_reference: Reference, debian: BaseTree) -> None:
    with Client() as client:
        image = pull_image(client, base_reference, parse_platform("linux/amd64"))
    config = parse_config(image.config_bytes)
    assert config.run.env["PYTHON_VERSION"] == debian.python_version
    assert "bookworm" in config.history[0].created_by


@pytest.mark.slow
@pytest.mark.network
def test_the_base_runs_in_a_container(base_reference: Reference, docker: Docker) -> None:
    code = f"import {NEEDED}, json, sys; print(json.dumps([sys.version_info[:2], sys.prefix]))"
    command = ["run", "--rm", "--network=none", str(base_reference), "python3.11", "-c", code]
    assert json.loads(docker.run(*command).stdout) == [[3, 11], "/usr"]
