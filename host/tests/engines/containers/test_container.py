"""Containers of real engines: whatever happens, they are gone afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cogworks.engines.containers.command import run
from cogworks.engines.containers.container import (
    Container,
    ContainerExited,
    StartError,
    _spawn,
    describe_exit,
    running,
)
from cogworks.engines.containers.engine import DOCKER, ContainerEngine
from cogworks.engines.containers.spec import ContainerSpec, Gpus, Port

from .conftest import DEBIAN
from .programs import write_programs

real = [pytest.mark.slow, pytest.mark.network]
SLEEP = ("python3", "-c", "import time; print('here', flush=True); time.sleep(600)")
DEAF = (
    "python3",
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(600)",
)
POLITE = (
    "python3",
    "-c",
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print('bye', flush=True)));"
    "print('here', flush=True); time.sleep(600)",
)


class Output:
    """What a container printed."""

    def __init__(self) -> None:
        self.text = b""
        self._news = asyncio.Event()

    def add(self, chunk: bytes) -> None:
        self.text += chunk
        self._news.set()

    async def wait_for(self, text: bytes) -> None:
        async with asyncio.timeout(30):
            while text not in self.text:
                await self._news.wait()
                self._news.clear()


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def containers(engine: ContainerEngine) -> list[str]:
    return run(engine, ["ps", "--all", "--format", "{{.Names}}"]).split()


@pytest.mark.parametrize("command", [SLEEP, DEAF, POLITE], ids=["usual", "deaf", "polite"])
@pytest.mark.slow
@pytest.mark.network
def test_a_container_is_gone_after_its_block(
    engine: ContainerEngine, command: tuple[str, ...]
) -> None:
    async def scene() -> None:
        output = Output()
        spec = ContainerSpec(DEBIAN, command)
        async with running(engine, spec, output.add, stop_grace_s=1) as container:
            await output.wait_for(b"here")
            assert containers(engine) == [container.name]
        assert containers(engine) == []
        assert (b"bye" in output.text) == (command is POLITE)

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_a_container_that_is_just_being_made_is_gone_too(engine: ContainerEngine) -> None:
    async def scene() -> None:
        with pytest.raises(RuntimeError, match="at once"):
            async with running(
                engine, ContainerSpec(DEBIAN, SLEEP), lambda _: None, stop_grace_s=0
            ):
                raise RuntimeError("at once")
        assert containers(engine) == []

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_who_is_in_a_hurry_does_not_wait_for_the_grace(engine: ContainerEngine) -> None:
    async def scene() -> None:
        output = Output()
        async with running(
            engine, ContainerSpec(DEBIAN, DEAF), output.add, stop_grace_s=60
        ) as container:
            await output.wait_for(b"here")
            asyncio.get_running_loop().call_later(0.3, container.hurry)
            left_at = time.monotonic()
        assert time.monotonic() - left_at < 30
        assert containers(engine) == []

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_an_early_end_is_told_with_its_code_and_last_words(engine: ContainerEngine) -> None:
    async def scene() -> None:
        output = Output()
        spec = ContainerSpec(DEBIAN, ("python3", "-c", "import sys; sys.exit('no weights')"))
        async with running(engine, spec, output.add) as container:
            with pytest.raises(ContainerExited, match="exited unexpectedly with code 1"):
                await container.find_address(5000)
        assert b"no weights" in output.text

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_a_published_port_is_on_loopback(engine: ContainerEngine) -> None:
    async def scene() -> None:
        spec = ContainerSpec(DEBIAN, SLEEP, ports=(Port(5000),))
        async with running(engine, spec, lambda _: None, stop_grace_s=0) as container:
            host, _, port = (await container.find_address(5000)).partition(":")
            assert host == "127.0.0.1"
            assert int(port) > 0

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_what_the_engine_refuses_is_told_in_its_words(engine: ContainerEngine) -> None:
    async def scene() -> None:
        async with running(engine, ContainerSpec("no-such-image:1"), lambda _: None) as container:
            with pytest.raises(StartError, match=r"did not start the container: .*no-such-image:1"):
                await container.wait()

    play(scene)


@pytest.mark.slow
@pytest.mark.network
def test_a_missing_gpu_is_recognised(engine: ContainerEngine) -> None:
    async def scene() -> None:
        spec = ContainerSpec(DEBIAN, SLEEP, gpus=Gpus())
        async with running(engine, spec, lambda _: None) as container:
            with pytest.raises(StartError) as raised:
                await container.wait()
        assert raised.value.lacks_gpu

    play(scene)


OWNER = """
import asyncio, sys
from cogworks.engines.containers.container import running
from cogworks.engines.containers.find import require_engine
from cogworks.engines.containers.spec import ContainerSpec
import json, os

async def main():
    engine = require_engine(dict(os.environ), [sys.argv[1]])
    spec = ContainerSpec(sys.argv[2], tuple(sys.argv[3:]))
    async with running(engine, spec, lambda chunk: os.write(1, chunk)):
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.network
def test_a_container_is_removed_when_its_owner_is_killed(engine: ContainerEngine) -> None:
    environment = {**engine.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OWNER, engine.name, DEBIAN, *SLEEP]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"here\n"
        assert len(containers(engine)) == 1
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while containers(engine) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert containers(engine) == []


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    environment = write_programs(tmp_path / "bin")
    engine = ContainerEngine(DOCKER, str(tmp_path / "nothing"), environment, server=DOCKER)

    async def scene() -> None:
        with pytest.raises(Exception, match="cannot be started: No such file"):
            async with running(engine, ContainerSpec("x"), lambda _: None):
                pass

    play(scene)


@pytest.mark.slow
def test_commands_that_end_as_they_are_given_up_say_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environment = write_programs(tmp_path / "bin", docker="exit 0")
    engine = ContainerEngine(DOCKER, str(tmp_path / "bin" / "docker"), environment, server=DOCKER)

    async def scene() -> None:
        for step in range(300):
            container = Container(engine, "x", await _spawn(engine, ["/bin/true"]))
            asking = asyncio.create_task(container.send_signal("HUP"))
            await asyncio.sleep(0.0005 * (step % 12))
            asking.cancel()
            await asyncio.wait([asking])
            await container._process.wait()

    play(scene)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (1, "with code 1"),
        (137, "(it was killed, usually because memory ran out)"),
        (139, "(by SIGSEGV)"),
        (255, "with code 255"),
    ],
)
def test_an_exit_code_is_told_in_words(code: int, told: str) -> None:
    assert describe_exit(code) == told
