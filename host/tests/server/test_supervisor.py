"""One worker over its lives, on real processes."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from cog._bridge.messages import Message
from cogworks.server import supervisor
from cogworks.server.launch import WorkerLaunch
from cogworks.server.lifecycle import WorkerState
from cogworks.server.process import spawn
from cogworks.server.settings import Settings
from cogworks.server.supervisor import Supervisor

pytestmark = pytest.mark.slow

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"


class Reader:
    """Who is told what happens to the worker; its files are read until ``has_read`` is set."""

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()
        self.is_dead = asyncio.Event()
        self.has_read = asyncio.Event()

    def on_message(self, worker: Supervisor, message: Message) -> None:
        pass

    def on_output(self, worker: Supervisor, source: str, text: str) -> None:
        pass

    def on_setup_output(self, worker: Supervisor, source: str, text: str) -> None:
        pass

    def on_death(self, worker: Supervisor, reason: str) -> None:
        self.is_dead.set()

    def on_change(self, worker: Supervisor) -> None:
        if worker.state is WorkerState.READY:
            self.is_ready.set()

    async def wait_files(self) -> None:
        await self.has_read.wait()


def test_the_folder_of_a_dead_worker_stays_while_its_files_are_read(
    play: Any, sdk_tree: Path
) -> None:
    async def scene() -> None:
        reader = Reader()
        launch = WorkerLaunch(Path(sys.executable), sdk_tree, MODELS / "echo", "run.py:Runner")
        worker = Supervisor(launch, Settings(), reader)
        await worker.start()
        await reader.is_ready.wait()
        folder, pid = worker.temp_dir, worker.pid
        assert folder is not None
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await reader.is_dead.wait()
        await asyncio.to_thread(lambda: None)  # A turn of the threads that remove folders.
        assert folder.exists()
        reader.has_read.set()
        await worker.stop()
        assert not folder.exists()

    play(scene())


def test_setup_began_with_the_process_though_the_server_came_later(
    play: Any, sdk_tree: Path
) -> None:
    async def scene() -> None:
        launch = WorkerLaunch(Path(sys.executable), sdk_tree, MODELS / "echo", "run.py:Runner")
        process = spawn(launch, None)
        earlier = dataclasses.replace(process, started_at=process.started_at - 100.0)
        reader = Reader()
        worker = Supervisor(launch, Settings(), reader, earlier)
        await worker.start()
        await reader.is_ready.wait()
        assert worker.setup.completed_at is not None
        assert 100.0 <= worker.setup.completed_at - worker.setup.started_at < 160.0
        reader.has_read.set()
        await worker.stop()

    play(scene())


def test_a_death_is_told_when_the_last_words_are_there_not_later(
    play: Any, sdk_tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LAST_WORDS_S", 3600.0)

    async def scene() -> None:
        reader = Reader()
        reader.has_read.set()
        launch = WorkerLaunch(Path(sys.executable), sdk_tree, MODELS / "echo", "run.py:Runner")
        worker = Supervisor(launch, Settings(), reader)
        await worker.start()
        for _ in range(2):
            await reader.is_ready.wait()
            reader.is_ready.clear()
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            async with asyncio.timeout(30):
                await reader.is_dead.wait()
            reader.is_dead.clear()
        await worker.stop()

    for _ in range(3):  # The death and the end of the channels come in either order.
        play(scene())
