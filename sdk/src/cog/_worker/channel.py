"""One of the two sockets to the server: messages in order, from any thread."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Optional

from cog._bridge.frames import FrameDecoder
from cog._bridge.limits import MAX_FRAME_BYTES, READ_CHUNK_BYTES
from cog._bridge.messages import Message, Spilled, decode, encode
from cog._worker.folder import ensure_folder


class Channel:
    """Sends and receives messages; the socket stays blocking, so a slow server slows the model."""

    def __init__(self, sock: socket.socket, spill_dir: Optional[str] = None) -> None:
        """Take over ``sock``; messages too long for a frame go to files in ``spill_dir``."""
        self._socket = sock
        self._decoder = FrameDecoder()
        # Used again and again: a fresh buffer of this size for every read costs more than the read.
        self._buffer = bytearray(READ_CHUNK_BYTES)
        self._view = memoryview(self._buffer)
        self._lock = threading.Lock()
        self.spill_dir = spill_dir
        self.is_abandoned = False

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def abandon(self) -> None:
        """Let go of the socket in a forked process: only one may talk to the server.

        What is sent from now on goes nowhere, and nothing is received.
        """
        self.is_abandoned = True
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, message: Message) -> None:
        """Write one message.

        Raises:
            ValueError, TypeError: it holds something that JSON cannot; nothing was sent.
            OSError: the server is gone.
        """
        self.send_frames([self.frame(message)])

    def send_frames(self, frames: list[bytes]) -> None:
        """Write several frames by one call; their order is kept."""
        if self.is_abandoned:
            return
        with self._lock:
            self._socket.sendall(b"".join(frames))

    def frame(self, message: Message) -> bytes:
        """Encode a message; one that is too long is left in a file that the frame names."""
        frame = encode(message)
        if len(frame) - 1 <= MAX_FRAME_BYTES:
            return frame
        if self.spill_dir is not None:
            ensure_folder(self.spill_dir)
        descriptor, path = tempfile.mkstemp(prefix="spill-", suffix=".json", dir=self.spill_dir)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(frame)
        except OSError:
            os.unlink(path)  # A full disk has no room for a part of it either.
            raise
        return encode(Spilled(path))

    def receive(self, *, awake_s: float = 0.0) -> Iterator[Message]:
        """Yield messages as they come, until the server closes the channel.

        Args:
            awake_s: how long to look for the next message before the process sleeps.
        """
        while True:
            if awake_s:
                self._wait_awake(awake_s)
            messages = self.receive_some()
            if messages is None:
                return
            yield from messages

    def _wait_awake(self, seconds: float) -> None:
        """Return when something can be read, or when the time is up."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            try:
                self._socket.recv_into(self._buffer, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                os.sched_yield()
            else:
                return

    def receive_some(self, flags: int = 0) -> Optional[list[Message]]:
        """Read once and return the messages now whole; None at the end of the stream."""
        size_bytes = self._socket.recv_into(self._buffer, 0, flags)
        if not size_bytes:
            return None
        lines = self._decoder.feed(bytes(self._view[:size_bytes]))
        return [_unspill(decode(line)) for line in lines]

    def stop_receiving(self) -> None:
        """Let ``receive`` end once what has arrived is handled; safe from any thread."""
        with contextlib.suppress(OSError):  # The server may have closed it first.
            self._socket.shutdown(socket.SHUT_RD)


def _unspill(message: Message) -> Message:
    if not isinstance(message, Spilled):
        return message
    with open(message.path, "rb") as file:
        line = file.read()
    os.unlink(message.path)
    return decode(line)
