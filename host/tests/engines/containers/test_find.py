from __future__ import annotations

import time
from pathlib import Path

import pytest

from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine
from cogworks.engines.containers.errors import EngineUnreachableError
from cogworks.engines.containers.find import QUICK_S, examine, find_engines, require_engine

from .programs import docker_version, podman_info, says, write_programs

DEAD = "Cannot connect to the Docker daemon at unix:///run/x.sock. Is the docker daemon running?"
SERVER = {"Version": "20.10.24+dfsg1", "Components": [{"Name": "Engine"}]}


def test_docker_comes_first_and_podman_is_not_asked(tmp_path: Path) -> None:
    mark = tmp_path / "asked"
    environment = write_programs(
        tmp_path / "bin", docker=says(docker_version(SERVER)), podman=f": > {mark}"
    )
    (engine,) = find_engines(environment)
    assert (engine.name, engine.server, engine.version) == (DOCKER, DOCKER, "20.10.24+dfsg1")
    assert engine.is_reachable
    assert engine.release == (20, 10, 24)
    assert not mark.exists()


def test_podman_serves_where_dockers_daemon_is_dead(tmp_path: Path) -> None:
    environment = write_programs(
        tmp_path / "bin",
        docker=says(docker_version(None), error=DEAD, code=1),
        podman=says(podman_info()),
    )
    docker, podman = find_engines(environment)
    said = "Cannot connect to the Docker daemon at unix:///run/x.sock"
    assert docker.why_not == f"is installed, but cannot be used: {said}"
    assert podman.is_reachable
    assert podman.is_podman
    assert str(podman) == "podman 4.3.1"


def test_the_shim_that_is_called_docker_is_podman(tmp_path: Path) -> None:
    version = docker_version(None).replace("ApiVersion", "APIVersion")
    shim = f'case "$1" in version) {says(version)} ;; *) {says(podman_info())} ;; esac'
    environment = write_programs(tmp_path / "bin", docker=shim)
    engine = examine(DOCKER, environment, QUICK_S)
    assert (engine.name, engine.program) == (PODMAN, str(tmp_path / "bin" / "docker"))
    write_programs(tmp_path / "bin", podman=says(podman_info()))
    engine = examine(DOCKER, environment, QUICK_S)
    assert (engine.name, engine.program) == (PODMAN, str(tmp_path / "bin" / "podman"))


def test_dockers_program_may_talk_to_podman(tmp_path: Path) -> None:
    server = {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}
    environment = write_programs(tmp_path / "bin", docker=says(docker_version(server)))
    engine = examine(DOCKER, environment, QUICK_S)
    assert (engine.name, engine.is_podman) == (DOCKER, True)


@pytest.mark.slow
def test_a_daemon_that_hangs_costs_less_than_a_second(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin", docker="exec /bin/sleep 60")
    started = time.monotonic()
    docker, podman = find_engines(environment)
    assert time.monotonic() - started < 1.5  # Less, but for a busy machine.
    assert QUICK_S < 1
    assert docker.why_not == "did not answer within 0.9 s"
    assert podman.why_not == "is not installed"


def test_where_none_answers_each_has_its_reason(tmp_path: Path) -> None:
    environment = write_programs(
        tmp_path / "bin", docker=says(docker_version(None), error=DEAD, code=1)
    )
    with pytest.raises(EngineUnreachableError) as raised:
        require_engine(environment)
    assert str(raised.value) == (
        "docker is installed, but cannot be used: Cannot connect to the Docker daemon at "
        "unix:///run/x.sock; podman is not installed. Install or start one of them, and try again."
    )
    with pytest.raises(
        EngineUnreachableError, match=r"podman is not installed\. Install or start it"
    ):
        require_engine(environment, [PODMAN])


def test_who_may_not_use_the_socket_is_told_of_the_group(tmp_path: Path) -> None:
    said = "permission denied while trying to connect to the docker API at unix:///run/x.sock"
    environment = write_programs(
        tmp_path / "bin", docker=says(docker_version(None), error=said, code=1)
    )
    engine = examine(DOCKER, environment, QUICK_S)
    assert "you may not use it (add your user to the group docker): permission denied" in (
        engine.why_not
    )


def test_a_program_that_is_none_is_told(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin", docker="")
    (tmp_path / "bin" / "docker").write_text("#!/nowhere\n")
    engine = examine(DOCKER, environment, QUICK_S)
    assert engine.why_not == "cannot be started: No such file or directory"


def test_programs_run_under_the_given_variables_alone(tmp_path: Path) -> None:
    script = f'echo "$DOCKER_HOST $HOME" > {tmp_path / "seen"}; {says(docker_version(SERVER))}'
    environment = {**write_programs(tmp_path / "bin", docker=script), "DOCKER_HOST": "unix:///my"}
    assert examine(DOCKER, environment, QUICK_S).is_reachable
    assert (tmp_path / "seen").read_text() == "unix:///my \n"


def test_variables_are_not_shown_with_an_engine() -> None:
    engine = ContainerEngine(DOCKER, "/bin/docker", {"TOKEN": "hush"})
    assert "hush" not in repr(engine)
