"""A worker without a process and without a model: it says on the bridge what a test makes it say.

    worker = ScriptedWorker()
    worker.get_ready(slots=2)
    service = PredictionService(settings, launch, None, on_log=print, processes=[worker])

The server's end is the real one: sockets, pipes, frames and messages. Only the far end is played.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import threading
import time
from typing import cast

from cog._bridge.frames import FrameDecoder
from cog._bridge.messages import Hello, Message, Ready, decode, encode
from cog._bridge.version import PROTOCOL_VERSION
from cogworks.server.process import WorkerProcess
from cogworks.server.temporary_folder import WORKER_PREFIX, make_folder

READ_BYTES = 1024 * 1024


class ScriptedWorker(WorkerProcess):
    """Stands in the place of a ``WorkerProcess``; its sockets and pipes are real.

    ``send_data`` and ``send_control`` speak, ``receive_data`` and ``receive_control`` return what the
    server has said since. ``die`` ends it, as does the server's ``kill``. The owner must let a server
    take it, which closes the server's ends, or call ``end``.
    """

    def __init__(self) -> None:
        """Begin as a process does that has not said anything yet."""
        data, self_data = socket.socketpair()
        control, self_control = socket.socketpair()
        stdout, self_stdout = os.pipe()
        stderr, self_stderr = os.pipe()
        super().__init__(
            popen=cast("subprocess.Popen[bytes]", None),
            data=data,
            control=control,
            stdout=stdout,
            stderr=stderr,
            lifeline=cast(io.FileIO, None),
            folder=make_folder(WORKER_PREFIX),
            started_at=time.monotonic(),
        )
        far = _FarEnd(self_data, self_control, self_stdout, self_stderr)
        object.__setattr__(self, "_far", far)

    _far: _FarEnd

    @property
    def pid(self) -> int:
        """Return a process that exists: this one."""
        return os.getpid()

    @property
    def is_dead(self) -> bool:
        """Tell whether it has ended."""
        return self._far.dead.is_set()

    def get_ready(self, slots: int = 1) -> None:
        """Greet, and say that setup is done."""
        self.send_control(Hello(PROTOCOL_VERSION, "3.13.0", "scripted"))
        self.send_control(Ready(slots, is_async=slots > 1))

    def send_data(self, message: Message) -> None:
        """Say something about a prediction; nothing happens after the end."""
        self._far.send(self._far.data, message)

    def send_control(self, message: Message) -> None:
        """Say something about itself; nothing happens after the end."""
        self._far.send(self._far.control, message)

    def write(self, text: str) -> None:
        """Print, as code of the model would that nobody can tell apart."""
        if not self.is_dead:
            os.write(self._far.stdout, text.encode())

    def receive_data(self) -> list[Message]:
        """Return the predictions that the server has handed over since."""
        return self._far.receive(self._far.data)

    def receive_control(self) -> list[Message]:
        """Return what else the server has asked for since."""
        return self._far.receive(self._far.control)

    def die(self, code: int) -> None:
        """End with this exit code, negative for a signal; again does nothing."""
        self._far.end(code)

    def kill(self) -> None:
        """End as by SIGKILL."""
        self.die(-signal.SIGKILL)

    def wait(self) -> int:
        """Block until the end; return the exit code."""
        self._far.dead.wait()
        return self._far.code


class _FarEnd:
    """The ends of the sockets and pipes that a worker's process would hold."""

    def __init__(self, data: socket.socket, control: socket.socket, out: int, err: int) -> None:
        self.data = data
        self.control = control
        self.stdout = out
        self.dead = threading.Event()
        self.code = 0
        self._stderr = err
        self._decoders = {data: FrameDecoder(), control: FrameDecoder()}

    def send(self, channel: socket.socket, message: Message) -> None:
        if not self.dead.is_set():
            channel.setblocking(True)
            with contextlib.suppress(ConnectionError):
                channel.sendall(encode(message))

    def receive(self, channel: socket.socket) -> list[Message]:
        frames: list[bytes] = []
        if not self.dead.is_set():
            channel.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while data := channel.recv(READ_BYTES):
                    frames += self._decoders[channel].feed(data)
        return [decode(frame, json.loads) for frame in frames]

    def end(self, code: int) -> None:
        if self.dead.is_set():
            return
        self.code = code
        self.data.close()
        self.control.close()
        os.close(self.stdout)
        os.close(self._stderr)
        self.dead.set()
