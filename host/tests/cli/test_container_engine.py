from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cogworks.cli.container_engine import (
    folder_user,
    require_near,
    variables_for_many,
    variables_for_one,
    wanted_gpus,
)
from cogworks.cli.errors import OptionError
from cogworks.cli.options import EngineOptions
from cogworks.cli.state import State
from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.spec import Gpus


def docker_at(folder: Path, host: str) -> ContainerEngine:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\necho '{host}'\n")
    program.chmod(0o755)
    return ContainerEngine("docker", str(program), {}, server="docker")


@pytest.mark.parametrize(
    "host",
    [
        "unix:///var/run/docker.sock",
        "npipe:////./pipe/docker",
        "tcp://127.0.0.1:2375",
        "tcp://localhost:1",
    ],
)
def test_a_docker_on_this_machine_is_near(tmp_path: Path, host: str) -> None:
    require_near(docker_at(tmp_path, host))


@pytest.mark.parametrize(
    ("host", "shown"),
    [("ssh://me:secret@gpu.example", "ssh://***@gpu.example"), ("tcp://10.0.0.1:2376",) * 2],
)
def test_a_docker_elsewhere_is_refused_where_its_ports_are_needed(
    tmp_path: Path, host: str, shown: str
) -> None:
    with pytest.raises(OptionError) as raised:
        require_near(docker_at(tmp_path, host))
    assert f"on another machine ({shown}), whose ports cannot be reached" in str(raised.value)


def test_all_gpus_go_to_a_model_that_asks_for_some() -> None:
    assert wanted_gpus(EngineOptions(), model_asks=False) is None
    assert wanted_gpus(EngineOptions(), model_asks=True) == Gpus(is_automatic=True)
    assert wanted_gpus(EngineOptions(gpus="1"), model_asks=True) == Gpus(count=1)


def test_variables_of_the_option_win_and_of_ones_own_only_one_is_passed_on() -> None:
    state = State({"RUST_LOG": "trace", "LOG_FORMAT": "json", "MINE": "x"})
    found = variables_for_one(state, {"COG_LOG_LEVEL": "info"})
    assert found["RUST_LOG"] == "trace"
    assert found["LOG_FORMAT"] == "console"
    assert found["COG_LOG_LEVEL"] == "info"
    assert "MINE" not in found


def test_a_server_that_stays_gets_the_users_own_settings_of_it() -> None:
    environ = {
        "COG_API_TOKEN": "t",
        "COG_QUEUE_SIZE": "3",
        "OTEL_SERVICE_NAME": "me",
        "PORT": "80",
        "KUBERNETES_SERVICE_HOST": "k",
        "COG_CACHE_DIR": "/cache",
        "HOME": "/home/me",
    }
    found = variables_for_many(State(environ), {"COG_QUEUE_SIZE": "4"}, 12.5)
    assert found == {
        "COG_API_TOKEN": "t",
        "COG_QUEUE_SIZE": "4",
        "OTEL_SERVICE_NAME": "me",
        "LOG_FORMAT": "console",
        "COG_ALLOW_PRIVATE_URLS": "1",
        "COG_SETUP_TIMEOUT": "12.5",
    }


@pytest.mark.parametrize(
    ("name", "said", "user"),
    [
        ("docker", "[name=seccomp,profile=default]", f"{os.getuid()}:{os.getgid()}"),
        ("docker", "[name=seccomp name=rootless name=cgroupns]", "0:0"),
        ("podman", "rootless=true", "0:0"),
        ("podman", "rootless=false", f"{os.getuid()}:{os.getgid()}"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the engine sees to the owner")
def test_what_a_container_writes_belongs_to_the_user(
    tmp_path: Path, name: str, said: str, user: str
) -> None:
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    assert folder_user(ContainerEngine(name, str(program), {}, server=name)) == user
