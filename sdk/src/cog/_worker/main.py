"""The worker's entry: connect, load the model, set it up, serve, leave.

The order matters for speed and safety. The bridge's descriptors are claimed before anything of
the author's runs; what every model needs is imported before the project's directory is importable,
so that a ``json.py`` or a ``cog/`` in the project cannot get in the way. What only some models need
is imported later, unless such a file is there (``shadows.py``).
"""

from __future__ import annotations

import errno
import faulthandler
import fcntl
import os
import select
import signal
import socket
import sys
import tempfile
import threading
from typing import Any, Optional

from cog import _version
from cog._bridge.exits import BRIDGE_LOST
from cog._bridge.messages import (
    Cancel,
    Healthcheck,
    Hello,
    Init,
    Ready,
    SetupFailed,
    Shutdown,
)
from cog._bridge.version import PROTOCOL_VERSION
from cog._worker.channel import Channel

SYNC_CONCURRENCY = "COG_MAX_CONCURRENCY > 1 requires an async run() or predict() method"


class _SetupError(Exception):
    """The model cannot be served; the message is for its author."""


def main() -> None:
    """Run the worker to its end; the exit status tells nothing but how orderly it was."""
    if sys.argv[1:2] == ["--describe"]:
        from cog._worker.describe import describe_model

        describe_model(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle.
    data, control = _connect(sys.argv)
    sys.argv = [sys.argv[0]]
    os.register_at_fork(after_in_child=data.abandon)
    os.register_at_fork(after_in_child=control.abandon)
    faulthandler.enable(all_threads=False)  # A crash in native code says where it was called.
    control.send(Hello(PROTOCOL_VERSION, sys.version.split()[0], _version.__version__))
    incoming = control.receive()
    init = next(incoming, None)
    if not isinstance(init, Init):
        return
    if init.protocol != PROTOCOL_VERSION:
        control.send(SetupFailed(_version_mismatch(init.protocol)))
        return
    data.spill_dir = control.spill_dir = tempfile.tempdir = init.temp_dir
    try:
        _serve(init, data, control, incoming)
    finally:
        data.close()  # Where threads of the model keep the process, the server ends it on this sign.


def _connect(argv: list[str]) -> tuple[Channel, Channel]:
    if len(argv) != 3 or argv[1] != "--bridge":
        sys.exit(
            "usage: python SDK_TREE --bridge DATA_FD,CONTROL_FD[,LIFELINE_FD] (the server starts it so)"
        )
    descriptors = [int(text) for text in argv[2].split(",")]
    channels: list[Channel] = []
    for descriptor in descriptors[:2]:
        sock = socket.socket(fileno=descriptor)
        sock.set_inheritable(False)
        channels.append(Channel(sock))
    for descriptor in descriptors[2:]:
        os.set_inheritable(descriptor, False)
        _tie_life(descriptor)
    return channels[0], channels[1]


def _tie_life(descriptor: int) -> None:
    """Have the kernel kill the whole process group when the other end of a pipe is closed.

    The server holds that end and never writes, so it is closed when the server is gone, however it
    went. No thread of ours is needed: a model that is in native code and keeps the interpreter's
    lock is killed too. Elsewhere than on Linux, the control thread sees to it. Source: fcntl(2),
    F_SETSIG.
    """
    if sys.platform == "linux" and os.getpgrp() == os.getpid():
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
        if select.select([descriptor], [], [], 0)[0]:  # The end was closed before.
            os.killpg(os.getpgrp(), signal.SIGKILL)


def _serve(init: Init, data: Channel, control: Channel, incoming: Any) -> None:
    from cog._worker.logs import flush_streams, make_streams_live

    make_streams_live()
    control_loop = _ControlLoop(control, incoming)
    try:
        executor = _set_up(init, data, control_loop)
    except BaseException as error:  # SystemExit and the like: a model that exits in setup failed.
        _report_setup_failure(error, control)
        return
    flush_streams()
    control_loop.announce(executor)
    try:
        executor.serve()
    except OSError as error:
        _lose_bridge(error)
    if not control_loop.is_stopping:
        _end_with_the_server()  # The data channel ended and nobody had asked for it.
    flush_streams()


def _set_up(init: Init, data: Channel, control_loop: _ControlLoop) -> Any:
    from cog._worker.cancel import Canceller
    from cog._worker.loader import LoadError, load_model
    from cog._worker.run import plan
    from cog._worker.setup import run_setup
    from cog._worker.shadows import load_what_is_shadowed
    from cog.download import set_user_agent

    user_agent = os.environ.get("COG_USER_AGENT")
    if user_agent:
        set_user_agent(user_agent)
    canceller = Canceller()
    canceller.install()
    control_loop.start()
    load_what_is_shadowed(init.ref)
    sys.path.insert(1, os.getcwd())
    try:
        model = load_model(init.ref, init.mode)
    except LoadError as error:
        raise _SetupError(str(error)) from error
    signature = model.signature
    slots = init.slots or signature.concurrency
    if slots > 1 and not signature.is_async:
        raise _SetupError(SYNC_CONCURRENCY)
    loop = _new_loop() if signature.is_async else None
    if model.setup is not None:
        run_setup(model.setup, os.environ.get("COG_WEIGHTS"), loop)
    canceller.reclaim()
    _limit_downloads()
    control_loop.ready(model, slots, loop)
    prepared = plan(model, init.temp_dir)
    if loop is None:
        from cog._worker.execute import SyncExecutor

        return SyncExecutor(prepared, data, canceller)
    from cog._worker.execute_async import AsyncExecutor

    return AsyncExecutor(prepared, data, loop)


def _limit_downloads() -> None:
    """Bound what clients' URLs may fetch; the weights, which the operator named, are there already."""
    from cog.download import configure_downloads, download_settings

    settings = download_settings()
    is_allowed = os.environ.get("COG_ALLOW_PRIVATE_URLS", "").lower() in ("1", "true", "yes", "on")
    limit = os.environ.get("COG_MAX_DOWNLOAD", "")
    max_size_bytes = int(limit) if limit.isdecimal() else settings.max_size_bytes
    configure_downloads(settings._replace(allow_private=is_allowed, max_size_bytes=max_size_bytes))


def _new_loop() -> Any:
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _report_setup_failure(error: BaseException, control: Channel) -> None:
    from cog._worker.logs import flush_streams
    from cog._worker.run import describe, print_traceback

    if not isinstance(error, _SetupError):
        print_traceback(error)
    flush_streams()
    control.send(SetupFailed(describe(error)))


def _version_mismatch(protocol: int) -> str:
    return (
        f"the server speaks version {protocol} of the bridge, this SDK ({_version.__version__}) "
        f"version {PROTOCOL_VERSION}; install the same version of cogworks and cogworks-sdk"
    )


class _ControlLoop:
    """The thread that listens to the control channel, from before setup to the end."""

    def __init__(self, channel: Channel, incoming: Any) -> None:
        self._channel = channel
        self._incoming = incoming
        self._executor: Optional[Any] = None
        self._ready: Optional[Ready] = None
        self._healthcheck: Optional[Any] = None
        self.is_stopping = False

    def start(self) -> None:
        threading.Thread(target=self._listen, name="cog-control", daemon=True).start()

    def ready(self, model: Any, slots: int, loop: Any) -> None:
        from cog._schema.openapi import document

        if model.healthcheck is not None:
            from cog._worker.healthcheck import HealthcheckRunner

            self._healthcheck = HealthcheckRunner(model.healthcheck, loop, self._channel.send)
        signature = model.signature
        by_mode = {"run": None, "train": None, signature.mode: signature}
        schema = document(by_mode["run"], by_mode["train"], _version.__version__)
        has_healthcheck = self._healthcheck is not None
        self._ready = Ready(slots, signature.is_async, schema, has_healthcheck)

    def announce(self, executor: Any) -> None:
        self._executor = executor
        if self._ready is not None:
            self._channel.send(self._ready)

    def _listen(self) -> None:
        try:
            self._handle_messages()
        except OSError as error:
            _lose_bridge(error)
        _end_with_the_server()

    def _handle_messages(self) -> None:
        for message in self._incoming:
            if isinstance(message, Shutdown):
                self._stop()
            elif isinstance(message, Cancel) and self._executor is not None:
                self._executor.cancel(message.id)
            elif isinstance(message, Healthcheck) and self._healthcheck is not None:
                self._healthcheck.start(message.timeout_s)

    def _stop(self) -> None:
        self.is_stopping = True
        if self._executor is None:
            os._exit(0)  # Setup still runs and cannot be interrupted in an orderly way.
        self._executor.stop()


def _lose_bridge(error: OSError) -> None:
    """End because a socket to the server cannot be used; return if the server is what has ended."""
    if error.errno in (errno.EBADF, errno.ENOTSOCK):
        from cog._worker.logs import flush_streams

        flush_streams()
        os._exit(BRIDGE_LOST)


def _end_with_the_server() -> None:
    """The server is gone: end at once, with every process that the model started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
