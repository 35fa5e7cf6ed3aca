from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine
from cogworks.engines.containers.errors import GpuError
from cogworks.engines.containers.spec import (
    ContainerSpec,
    Gpus,
    Mount,
    Port,
    Terminal,
    client_environment,
    parse_gpus,
    run_command,
)


def engine(name: str = DOCKER, version: str = "20.10.24", **environment: str) -> ContainerEngine:
    return ContainerEngine(name, f"/bin/{name}", environment, version, name)


def options(spec: ContainerSpec, on: ContainerEngine | None = None) -> list[str]:
    command = run_command(on or engine(), spec, "cog-1")
    return command[4 : command.index(spec.image)]


PLAIN = ["--rm", "--pull", "never", "--shm-size", "6g"]


def test_every_container_is_removed_at_its_end_and_has_shared_memory() -> None:
    command = run_command(engine(), ContainerSpec("me/model", ("python", "-V")), "cog-1")
    assert command == ["/bin/docker", "run", "--name", "cog-1", *PLAIN, "me/model", "python", "-V"]


def test_ports_are_published_on_loopback_unless_another_address_is_given() -> None:
    ports = (Port(5000), Port(5000, 8393, "0.0.0.0"), Port(80, 80, "::1"))
    found = options(ContainerSpec("m", ports=ports))[len(PLAIN) :]
    assert found[1::2] == ["127.0.0.1::5000", "0.0.0.0:8393:5000", "[::1]:80:80"]


def test_a_path_may_have_any_name() -> None:
    mounts = (Mount(Path("/a"), "/src"), Mount(Path('/b,"c"'), "/w", read_only=True))
    found = options(ContainerSpec("m", mounts=mounts))[len(PLAIN) :]
    assert found[1] == "type=bind,source=/a,target=/src"
    assert found[3] == 'type=bind,"source=/b,""c""",target=/w,readonly'


def test_values_stay_out_of_the_command_line_where_that_is_possible() -> None:
    own = engine(HOME="/root", TERM="xterm", LANG="C")
    environment = {
        "TOKEN": "hush",
        "TERM": "xterm",
        "LANG": "de",
        "HOME": "/tmp",
        "DOCKER_HOST": "x",
    }
    spec = ContainerSpec("m", environment=environment)
    found = options(spec, own)[len(PLAIN) :][1::2]
    assert found == ["TOKEN", "TERM", "LANG=de", "HOME=/tmp", "DOCKER_HOST=x"]
    assert client_environment(own, spec) == {**own.environment, "TOKEN": "hush"}
    assert "hush" not in repr(spec)


def test_docker_and_podman_have_their_own_words_for_gpus() -> None:
    podman = engine(PODMAN, "4.3.1")
    for gpus, docker_words, podman_words in (
        (Gpus(), ["--gpus", "all"], ["--device", "nvidia.com/gpu=all"]),
        (Gpus(count=1), ["--gpus", "1"], ["--device", "nvidia.com/gpu=0"]),
        (
            Gpus(devices=("0", "GPU-1")),
            ["--gpus", '"device=0,GPU-1"'],
            ["--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=GPU-1"],
        ),
    ):
        spec = ContainerSpec("m", gpus=gpus)
        assert options(spec)[len(PLAIN) :] == docker_words
        assert options(spec, podman)[len(PLAIN) :] == podman_words


def test_the_rest_is_said_where_it_is_asked_for() -> None:
    spec = ContainerSpec(
        "m",
        platform="linux/amd64",
        user="1:2",
        working_dir="/src",
        terminal=Terminal(has_stdin=True, is_tty=True),
    )
    found = options(spec)[len(PLAIN) :]
    assert found == [
        *("--platform", "linux/amd64", "--interactive", "--tty"),
        *("--user", "1:2", "--workdir", "/src"),
    ]


@pytest.mark.parametrize(
    ("name", "version", "is_told"),
    [(DOCKER, "20.10.24", True), (PODMAN, "4.3.1", False), (PODMAN, "4.7.0", True)],
)
def test_the_machine_has_a_name_where_the_engine_can_give_one(
    name: str, version: str, is_told: bool
) -> None:
    found = options(ContainerSpec("m", reaches_host=True), engine(name, version))
    assert ("host.docker.internal:host-gateway" in found) == is_told


@pytest.mark.parametrize(
    ("text", "gpus"),
    [("all", Gpus()), ("2", Gpus(count=2)), ("device=0,1", Gpus(devices=("0", "1")))],
)
def test_gpus_are_read(text: str, gpus: Gpus) -> None:
    assert parse_gpus(text) == gpus


@pytest.mark.parametrize("text", ["", "some", "0", "-1", "device=", "device=a b", "gpu=1", "1.5"])
def test_other_words_for_gpus_are_refused(text: str) -> None:
    with pytest.raises(GpuError, match="invalid GPU specification"):
        parse_gpus(text)
