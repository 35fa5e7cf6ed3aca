from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.container_engine import require_near, server_variables, wanted_gpus
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
    found = server_variables(state, {"COG_LOG_LEVEL": "info"})
    assert found["RUST_LOG"] == "trace"
    assert found["LOG_FORMAT"] == "console"
    assert found["COG_LOG_LEVEL"] == "info"
    assert "MINE" not in found
