"""Which engine runs stages: programs of the tests stand for buildah, docker and podman."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.build.errors import NoEngineError, StageError
from cogworks.build.stages.buildah import Buildah
from cogworks.build.stages.choose import choose_engine
from cogworks.build.stages.docker import Docker
from host.tests.engines.containers.programs import docker_version, podman_info, says, write_programs

SERVER = {"Version": "20.10.24+dfsg1", "Components": [{"Name": "Engine"}]}
NEEDED = ["cog.yaml:4: build.system_packages has git: apt installs them on the base image."]


def docker_script(
    client: str = "20.10.24", *, buildx: bool = False, server: object = SERVER
) -> str:
    answer = says("v0.12", code=0) if buildx else says("", error="no such command", code=1)
    return (
        'case "$1 $2 $3" in\n'
        f"'version --format {{{{.Client.Version}}}}') echo {client} ;;\n"
        f"version*) {says(docker_version(server))} ;;\n"
        "context*) echo desktop-linux ;;\n"
        f"buildx*) {answer} ;;\n"
        "esac"
    )


def test_buildah_comes_first(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin", buildah="exit 0", docker=docker_script())
    engine = choose_engine(environment, NEEDED)
    assert isinstance(engine, Buildah)
    assert engine.name == "buildah"


def test_docker_serves_where_buildah_has_no_storage(tmp_path: Path) -> None:
    broken = says("", error="Error: mkdir /var/lib/containers: permission denied", code=125)
    environment = write_programs(tmp_path / "bin", buildah=broken, docker=docker_script())
    engine = choose_engine(environment, NEEDED)
    assert isinstance(engine, Docker)
    assert (engine.name, engine.builder) == ("docker", "desktop-linux")


def test_podman_serves_where_nothing_else_is(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin", podman=says(podman_info()))
    assert choose_engine(environment, NEEDED).name == "podman"


@pytest.mark.parametrize("name", ["buildah", "docker", "podman"])
def test_one_may_be_named(tmp_path: Path, name: str) -> None:
    environment = write_programs(
        tmp_path / "bin", buildah="exit 0", docker=docker_script(), podman=says(podman_info())
    )
    assert choose_engine(environment, NEEDED, name).name == name


def test_a_newer_docker_without_buildx_has_the_classic_builder(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin", docker=docker_script("28.2.2"))
    engine = choose_engine(environment, NEEDED)
    assert isinstance(engine, Docker)
    assert engine.builder == ""
    write_programs(tmp_path / "bin", docker=docker_script("28.2.2", buildx=True))
    engine = choose_engine(environment, NEEDED)
    assert isinstance(engine, Docker)
    assert engine.builder == "desktop-linux"


def test_another_docker_on_path_may_have_buildkit(tmp_path: Path) -> None:
    write_programs(tmp_path / "one", docker=docker_script("28.2.2"))
    write_programs(tmp_path / "two", docker=docker_script("20.10.24"))
    engine = choose_engine({"PATH": f"{tmp_path}/one:{tmp_path}/two"}, NEEDED)
    assert isinstance(engine, Docker)
    assert engine.engine.program == f"{tmp_path}/two/docker"


def test_where_none_can_be_used_each_has_its_reason(tmp_path: Path) -> None:
    old = {**SERVER, "Version": "19.03.1"}
    environment = write_programs(
        tmp_path / "bin",
        buildah=says("", error="Error: no storage", code=125),
        docker=docker_script(server=old),
    )
    with pytest.raises(NoEngineError) as raised:
        choose_engine(environment, NEEDED)
    assert str(raised.value).splitlines() == [
        "Something has to be executed inside the image, and no engine for that can be used here.",
        f"  {NEEDED[0]}",
        "What was looked for:",
        "  buildah is installed, but cannot be used: no storage",
        "  docker is of version 19.03.1; 20.10 or newer is needed",
        "  podman is not installed",
        "Install buildah, or start docker or podman, and build again; or, as root on Linux, use --engine sandbox.",
    ]


def test_dockers_program_with_podmans_socket_is_no_docker(tmp_path: Path) -> None:
    server = {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}
    environment = write_programs(tmp_path / "bin", docker=docker_script(server=server))
    with pytest.raises(NoEngineError, match="docker is podman"):
        choose_engine(environment, NEEDED, "docker")


def test_an_engine_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no engine 'lxc' for builds; use buildah, docker, podman"):
        choose_engine({"PATH": str(tmp_path)}, NEEDED, "lxc")
