"""The server's end of the bridge, on real sockets and pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from cog._bridge.limits import MAX_FRAME_BYTES
from cog._bridge.messages import Cancel, Predict
from cogworks.server.link import Link

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Ends:
    """The worker's ends of a link, and what the link has reported."""

    def __init__(self) -> None:
        self.link = Link(lambda message: None, self._hear, lambda reason: None)
        self.printed = ""
        self._server, self._worker = zip(socket.socketpair(), socket.socketpair(), strict=True)
        self._pipes = [os.pipe(), os.pipe()]

    def _hear(self, source: str, text: str) -> None:
        self.printed += text

    async def open(self) -> None:
        (stdout, _), (stderr, _) = self._pipes
        await self.link.open(self._server[0], self._server[1], stdout, stderr)

    def write(self, source: str, text: bytes) -> None:
        """Print, as the worker."""
        os.write(self._pipes[source == "stderr"][1], text)

    def leave(self) -> None:
        """Let go of everything, as a process that dies."""
        for end in self._worker:
            end.close()
        for _, write_end in self._pipes:
            os.close(write_end)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_what_is_sent_to_a_worker_that_has_left_is_dropped(new_loop: Callable[[], Any]) -> None:
    problems: list[dict[str, Any]] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, problem: problems.append(problem)
        )
        it = Ends()
        await it.open()
        it.leave()
        while not it.link.has_ended():  # noqa: ASYNC110 - one turn at a time
            await asyncio.sleep(0)
        it.link.send_control(Cancel("p1"))
        it.link.send_data(Predict("p1", {}), now=True)
        it.link.send_data(Predict("p2", {}))
        await asyncio.sleep(0.001)  # Until what is sent together is sent.
        it.link.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scene())
    assert problems == []


@pytest.mark.parametrize("new_loop", LOOPS)
@pytest.mark.parametrize(("first", "second"), [("stdout", "stderr"), ("stderr", "stdout")])
@pytest.mark.parametrize("is_drained", [True, False])
def test_no_line_is_put_behind_an_unfinished_one_that_came_later(
    new_loop: Callable[[], Any], first: str, second: str, is_drained: bool
) -> None:
    async def scene() -> None:
        it = Ends()
        await it.open()
        it.write(first, b"a\n")
        it.write(second, b"b\n")
        it.write(first, b"c\nunfinished")
        if is_drained:
            it.link.drain_output()
        while "unfinished" not in it.printed:  # noqa: ASYNC110 - one turn at a time
            await asyncio.sleep(0)
        assert sorted(it.printed.splitlines()) == ["a", "b", "c", "unfinished"]
        it.write(first, b", now finished\n")
        it.link.drain_output()
        assert it.printed.endswith("unfinished, now finished\n")
        it.leave()
        it.link.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scene())


@contextlib.contextmanager
def small_files() -> Generator[None]:
    """Let no file grow beyond a megabyte: as a full disk, writing fails midway."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_message_that_does_not_fit_on_the_disk_leaves_no_part_of_it(tmp_path: Path) -> None:
    async def scene() -> None:
        it = Ends()
        await it.open()
        it.link.spill_dir = tmp_path
        with small_files(), pytest.raises(OSError, match="File too large"):
            it.link.send_data(Predict("p1", {"text": "x" * MAX_FRAME_BYTES}))
        it.leave()
        it.link.close()

    asyncio.run(scene())
    assert list(tmp_path.iterdir()) == []
