"""The server's end of the bridge to one worker: two sockets and the worker's two output pipes.

The pipes are read here, in the server, and once more at every message that ends something: what
was printed before a message was sent is in the pipe by then. So logs are complete at the end of
a prediction, and the last words of a worker that dies are not lost.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import logging
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from cog._bridge.frames import FrameDecoder, FrameError
from cog._bridge.limits import FRAMES_TOGETHER, MAX_FRAME_BYTES
from cog._bridge.messages import Message, MessageError, Spilled, decode, encode

PIPE_READ_BYTES = 64 * 1024
"""The capacity of a pipe on Linux."""

MAX_PIPE_READS = 4
"""Reads of one pipe in a row: a model that floods it must not keep the server from its work. What was
printed before a message was sent is there with the first one, as it fits into the pipe."""

AWAKE_S = 0.0001
"""How long the event loop stays awake for the answer to a lone prediction: a quick model answers by
then, and to be woken takes longer than to handle the answer. Source: as in the worker's executor."""


logger = logging.getLogger(__name__)


class Link:
    """Carries messages and printed text between the event loop and one worker.

    ``on_message`` gets each message, ``on_output`` the text of ``stdout`` and ``stderr``,
    ``on_broken`` the reason when a channel carries no sense any more; the worker must be killed
    then. ``on_channel_end`` is told of the end of a channel: most often the process has ended too,
    which its owner watches.
    """

    def __init__(
        self,
        on_message: Callable[[Message], None],
        on_output: Callable[[str, str], None],
        on_broken: Callable[[str], None],
        on_channel_end: Callable[[], None] | None = None,
    ) -> None:
        """Only note who is told."""
        self._on_channel_end = on_channel_end
        self._on_message = on_message
        self._on_output = on_output
        self._on_broken = on_broken
        self._data: asyncio.WriteTransport | None = None
        self._control: asyncio.WriteTransport | None = None
        self._pipes: dict[int, _Pipe] = {}
        self._poller = select.poll()
        self._frames: list[bytes] = []
        self._open_channels = 0
        self._ended = asyncio.Event()
        self._awake_until = 0.0
        # With one processor, waiting awake would keep the worker from it.
        self._may_wait_awake = count_cpus() > 1
        self.spill_dir: Path | None = None

    async def open(
        self, data: socket.socket, control: socket.socket, stdout: int, stderr: int
    ) -> None:
        """Take over the sockets and the descriptors of the pipes, which become non-blocking."""
        loop = asyncio.get_running_loop()
        for pipe in (_Pipe(stdout, "stdout"), _Pipe(stderr, "stderr")):
            os.set_blocking(pipe.descriptor, False)
            self._pipes[pipe.descriptor] = pipe
            self._poller.register(pipe.descriptor, select.POLLIN)
            loop.add_reader(pipe.descriptor, self._report, [pipe], 1)
        # The worker may be ready already, and what waits for it is sent the moment that is read: from
        # the control channel, so the data channel comes first.
        self._data, _ = await loop.create_connection(self._protocol, sock=data)
        self._control, _ = await loop.create_connection(self._protocol, sock=control)

    def has_ended(self) -> bool:
        """Tell whether everything that the worker sent has been received."""
        return self._open_channels == 0

    async def wait_end(self) -> None:
        """Wait until everything that the worker sent has been received."""
        await self._ended.wait()

    def send_data(self, message: Message, *, now: bool = False) -> None:
        """Send on the data channel; never waits. Nothing happens when the worker is gone.

        Args:
            now: at once, else with all that is sent in this turn of the loop: better for the
                whole where much is sent, worse for this message.
        """
        if now and not self._frames and self._data is not None:
            _write(self._data, self._frame(message))
            self._stay_awake()
            return
        self._awake_until = 0.0
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(self._frame(message))
        if len(self._frames) >= FRAMES_TOGETHER:
            self._flush()

    def send_control(self, message: Message) -> None:
        """Send on the control channel; never waits. Nothing happens when the worker is gone."""
        if self._control is not None:
            _write(self._control, self._frame(message))

    def drain_output(self) -> None:
        """Report all that the worker has printed so far; one system call where that is nothing."""
        ready = self._poller.poll(0)
        if ready:
            self._report([self._pipes[descriptor] for descriptor, _ in ready], MAX_PIPE_READS)

    def close(self) -> None:
        """Report what is left in the pipes, unfinished characters included, and let go of all."""
        self.drain_output()
        for pipe in self._pipes.values():
            rest = pipe.decoder.decode(b"", final=True)
            if rest:
                self._on_output(pipe.source, rest)
            self._forget(pipe)
            os.close(pipe.descriptor)
        self._pipes = {}
        for transport in (self._data, self._control):
            if transport is not None:
                transport.abort()
        self._data = self._control = None

    def receive(self, frames: list[bytes]) -> None:
        """Handle frames that arrived on either channel; first, what was printed before them."""
        self._awake_until = 0.0
        self.drain_output()
        try:
            for frame in frames:
                message = decode(frame, msgspec.json.decode)
                self._on_message(
                    self._unspill(message) if isinstance(message, Spilled) else message
                )
        except MessageError as error:
            self.fail(str(error))

    def fail(self, reason: str) -> None:
        """Give up on a stream that cannot be trusted any more."""
        self._on_broken(reason)

    def lose_channel(self) -> None:
        """Note the end of a channel."""
        self._open_channels -= 1
        if not self._open_channels:
            self._ended.set()
        if self._on_channel_end is not None:
            self._on_channel_end()

    def _protocol(self) -> _ChannelProtocol:
        self._open_channels += 1
        self._ended.clear()
        return _ChannelProtocol(self)

    def _frame(self, message: Message) -> bytes:
        frame = encode(message, msgspec.json.encode)
        if len(frame) - 1 <= MAX_FRAME_BYTES or self.spill_dir is None:
            return frame
        path = self.spill_dir / f"spill-{id(frame):x}-{os.urandom(8).hex()}.json"
        try:
            self.spill_dir.mkdir(0o700, exist_ok=True)  # The model may have removed it.
            path.write_bytes(frame)
        except OSError:
            path.unlink(missing_ok=True)  # A full disk has no room for a part of it either.
            raise
        return encode(Spilled(str(path)))

    def _unspill(self, spilled: Spilled) -> Message:
        path = Path(spilled.path).resolve()
        if self.spill_dir is None or self.spill_dir.resolve() not in path.parents:
            raise MessageError(f"a spilled message outside of the worker's folder: {path}")
        try:
            frame = path.read_bytes()
            path.unlink()
        except OSError as error:
            raise MessageError(f"a spilled message cannot be read: {error}") from error
        return decode(frame, msgspec.json.decode)

    def _report(self, pipes: list[_Pipe], most_reads: int) -> None:
        """Read pipes and report what they hold; unfinished lines last.

        Nobody can know which of two streams was written first. But an unfinished line is the last that
        its stream has, so a line of the other one that was there before is not put behind it.
        """
        texts = {pipe: self._read(pipe, most_reads) for pipe in pipes}
        if any(text and text[-1] != "\n" for text in texts.values()):
            # All that the other stream had before is in its pipe by now.
            for pipe in self._pipes.values():
                text = texts.get(pipe, "")
                if not text or text[-1] == "\n":
                    texts[pipe] = text + self._read(pipe, 1)
        rests: list[tuple[_Pipe, str]] = []
        for pipe, text in texts.items():
            lines, newline, rest = text.rpartition("\n")
            if newline:
                self._on_output(pipe.source, lines + newline)
            if rest:
                rests.append((pipe, rest))
        for pipe, rest in rests:
            self._on_output(pipe.source, rest)

    def _read(self, pipe: _Pipe, most_reads: int) -> str:
        """Return what a pipe holds, or its beginning."""
        text = ""
        for _ in range(most_reads):
            try:
                data = os.read(pipe.descriptor, PIPE_READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                self._forget(pipe)
                break
            text += pipe.decoder.decode(data)
            if len(data) < PIPE_READ_BYTES:
                break
        return text

    def _forget(self, pipe: _Pipe) -> None:
        """Stop listening to a pipe; again does nothing."""
        asyncio.get_running_loop().remove_reader(pipe.descriptor)
        with contextlib.suppress(KeyError):
            self._poller.unregister(pipe.descriptor)

    def _stay_awake(self) -> None:
        """Keep the loop turning until a message comes, or the time is up."""
        if self._may_wait_awake:
            self._awake_until = time.perf_counter() + AWAKE_S
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        if time.perf_counter() < self._awake_until:
            asyncio.get_running_loop().call_soon(self._turn)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if frames and self._data is not None:
            _write(self._data, b"".join(frames))


def _write(transport: asyncio.WriteTransport, data: bytes) -> None:
    """Write, unless the worker has left already: its owner learns of that in a moment.

    uvloop raises where asyncio only warns.
    """
    if not transport.is_closing():
        transport.write(data)


class _Pipe:
    """One of the worker's output streams."""

    def __init__(self, descriptor: int, source: str) -> None:
        self.descriptor = descriptor
        self.source = source
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")


class _ChannelProtocol(asyncio.Protocol):
    """Feeds one socket's bytes to the link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._decoder = FrameDecoder()

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lose_channel()

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            self._link.fail(str(error))
            return
        self._link.receive(frames)


def count_cpus() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
