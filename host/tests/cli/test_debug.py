"""`cog debug`: the Dockerfile on standard output, or a folder and the command that builds it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import Result

from cogworks.build.errors import BuildError
from cogworks.cli.debug import command
from cogworks.testing import FakeRegistry
from host.tests.build.conftest import write_wheel

from .build_desk import CONFIG, Desk, text_of

pytestmark = pytest.mark.slow


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def desk(tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, registry.host)
    for name, version in {"pip": "25.3", "setuptools": "80.9.0", "wheel": "0.45.1"}.items():
        write_wheel(tmp_path / "packages", name, version)
    monkeypatch.chdir(desk.project)
    return desk


def debug(desk: Desk, *arguments: str) -> Result:
    return desk.call(command, list(arguments), {})


def test_the_dockerfile_is_printed_without_asking_anybody(
    desk: Desk, registry: FakeRegistry
) -> None:
    asked = len(registry.requests)
    result = debug(desk)
    assert result.exit_code == 0
    assert "\nFROM python:3.11-slim\n" in result.stdout
    assert "python3.11 -m venv --without-pip /opt/venv" in result.stdout
    assert "--require-hashes -r /tmp/packages/requirements.txt" in result.stdout
    assert "LABEL run.cog.openapi_schema='{" in result.stdout
    assert len(registry.requests) == asked
    assert not (desk.root / "cache").exists()


def test_options_and_cog_yaml_say_what_is_in_it(desk: Desk) -> None:
    with (desk.project / "model.bin").open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    desk.write("cog.yaml", CONFIG.replace("3.11", "3.9").replace("run:", "  user: root\nrun:"))
    arguments = ["--separate-weights", "--platform", "linux/arm64", "--base-python", "own"]
    text = debug(desk, *arguments, "--base-image", "registry.example/base:1").stdout
    assert "\nFROM registry.example/base:1\n" in text
    assert 'COPY ["weights/model.bin", "/src/model.bin"]' in text
    assert "/usr/lib/aarch64-linux-gnu" in text
    assert "\nUSER root\n" in text
    assert "COPY python3.9/ /opt/python3.9/\nCOPY python3.13/ /opt/python3.13/\n" in text
    assert "/opt/python3.13/bin/python3.13 -m venv --without-pip /opt/cogworks" in text


def test_a_folder_is_written_and_the_command_that_builds_it_is_printed(desk: Desk) -> None:
    given = ["--base-image", desk.base, "--image-name", "me/model:v1"]
    result = debug(desk, "-o", "my context", *given, "--timestamp", "7")
    assert "Written to my context" in text_of(result)
    words = shlex.split(result.stdout)
    assert words[:5] == ["DOCKER_BUILDKIT=1", "docker", "build", "--tag", "me/model:v1"]
    assert words[5:7] == ["--build-arg", "SOURCE_DATE_EPOCH=7"]
    assert words[-1] == "my context"
    assert "run.cog.pip_freeze=$(cat 'my context/pip_freeze.txt')" in result.stdout
    text = (desk.project / "my context" / "Dockerfile").read_text()
    assert f"FROM {desk.base}@sha256:" in text


def test_secrets_are_those_that_were_given_or_to_be_filled_in(desk: Desk) -> None:
    mounts = "{type: secret, id: %s, target: /t}"
    both = ", ".join(mounts % name for name in ("given", "missing"))
    lines = f"  run: [{{command: cat /t, mounts: [{both}]}}]\nrun:"
    desk.write("cog.yaml", CONFIG.replace("run:", lines))
    given = ["--base-image", desk.base, "--secret", "env=TOKEN,id=given"]
    result = debug(desk, "-o", "out", *given)
    text_of(result)
    words = shlex.split(result.stdout)
    secrets = [after for word, after in pairwise(words) if word == "--secret"]
    assert secrets == ["id=given,env=TOKEN", "id=missing,src=missing"]


def test_a_folder_that_is_not_ours_is_refused(desk: Desk) -> None:
    result = debug(desk, "-o", ".", "--base-image", desk.base)
    assert isinstance(result.exception, BuildError)
    assert sorted(path.name for path in desk.project.iterdir()) == ["cog.yaml", "run.py"]
