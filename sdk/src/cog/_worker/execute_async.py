"""Run the predictions of an asynchronous model at once, as tasks of one event loop."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from typing import Any, Optional

from cog._bridge.limits import FRAMES_TOGETHER
from cog._bridge.messages import CANCELED, SUCCEEDED, Done, Log, Message, Metric, Output, Predict
from cog._worker.channel import Channel
from cog._worker.files import close_files
from cog._worker.logs import AttributedStream, attribute_streams, current_prediction
from cog._worker.run import Plan, end_forked_child, failure, final_frame, print_traceback
from cog.metrics import Record
from cog.scope import Scope, enter_scope, exit_scope

MAX_EARLY_CANCELS = 1024
"""Cancels remembered for predictions that the data channel has not delivered yet."""


class AsyncExecutor:
    """Takes ``Predict`` messages and answers each with exactly one ``Done``."""

    def __init__(self, plan: Plan, channel: Channel, loop: asyncio.AbstractEventLoop) -> None:
        """Serve ``channel`` on ``loop``, the one that setup ran on."""
        self._plan = plan
        self._channel = channel
        self._loop = loop
        self._runs: dict[str, _Run] = {}
        self._early: dict[str, None] = {}
        self._frames: list[bytes] = []
        self._loop_thread: Optional[int] = None
        self._stopping = False
        self._streams: tuple[AttributedStream, ...] = ()

    def serve(self) -> None:
        """Work until the channel ends and the predictions that run have finished."""
        self._loop_thread = threading.get_ident()
        self._streams = attribute_streams(self._emit)
        self._loop.add_reader(self._channel.fileno(), self._receive)
        try:
            while not self._is_over():
                self._run_loop()
        finally:
            self._flush()

    def cancel(self, prediction_id: str) -> None:
        """Cancel the task of a prediction; called by the control thread."""
        self._loop.call_soon_threadsafe(self._cancel, prediction_id)

    def stop(self) -> None:
        """Let ``serve`` return after the predictions that run; called by the control thread."""
        self._channel.stop_receiving()

    def _run_loop(self) -> None:
        try:
            self._loop.run_forever()  # Ends as well when the model stops the loop.
        except (SystemExit, KeyboardInterrupt) as error:
            # Raised in a task of the model's own: it ends that task, not the worker.
            print_traceback(error)

    def _is_over(self) -> bool:
        return self._stopping and not self._runs

    def _receive(self) -> None:
        try:
            messages = self._channel.receive_some(socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if messages is None:
            self._loop.remove_reader(self._channel.fileno())
            self._stopping = True
            self._stop_if_idle()
            return
        for message in messages:
            if isinstance(message, Predict):
                self._start(message)

    def _start(self, message: Predict) -> None:
        run = _Run()
        self._runs[message.id] = run
        if message.id in self._early:
            del self._early[message.id]
            run.is_canceled = True
        run.task = self._loop.create_task(self._predict(message, run))

    def _cancel(self, prediction_id: str) -> None:
        run = self._runs.get(prediction_id)
        if run is None:
            self._early[prediction_id] = None
            if len(self._early) > MAX_EARLY_CANCELS:
                del self._early[next(iter(self._early))]
            return
        if not run.is_canceled:
            run.is_canceled = True
            if run.has_started and run.task is not None:
                run.task.cancel()

    async def _predict(self, message: Predict, run: _Run) -> None:
        run.has_started = True
        current_prediction.set(message.id)
        try:
            done = Done(message.id, CANCELED) if run.is_canceled else await self._run(message)
        except asyncio.CancelledError as error:
            done = Done(message.id, CANCELED) if run.is_canceled else failure(message.id, error)
        except (
            BaseException
        ) as error:  # SystemExit too: a model that exits only ends its prediction.
            if self._channel.is_abandoned:
                end_forked_child(error)
            print_traceback(error)
            done = failure(message.id, error)
        if self._channel.is_abandoned:
            end_forked_child()
        del self._runs[message.id]
        for stream in self._streams:
            stream.finish(message.id)
        self._enqueue(final_frame(self._channel, done))
        self._stop_if_idle()

    async def _run(self, message: Predict) -> Done:
        scope = enter_scope(Scope(message.context, self._recorder(message.id)))
        files: list[Any] = []
        try:
            values = self._plan.coerce(message.input)
            if self._plan.inputs.is_needed(values):
                files = await self._loop.run_in_executor(
                    None, self._plan.inputs.open, values, message.files
                )
            result = self._plan.model.call(**values)
            if inspect.isawaitable(result):
                result = await result
            if hasattr(result, "__aiter__"):
                return await self._stream(message.id, result)
            return self._single(message.id, result)
        finally:
            close_files(files)
            exit_scope(scope)

    def _single(self, prediction_id: str, result: Any) -> Done:
        if self._plan.always_streams and not isinstance(result, (str, bytes)):
            for index, item in enumerate(result):
                self._send_item(prediction_id, index, item)
            return Done(prediction_id, SUCCEEDED, streamed=True)
        outputs = self._plan.outputs()
        value = self._plan.encode(result, outputs.add)
        value = [value] if self._plan.always_streams else value
        return Done(prediction_id, SUCCEEDED, value, files=outputs.files)

    async def _stream(self, prediction_id: str, items: Any) -> Done:
        index = 0
        try:
            async for item in items:
                self._send_item(prediction_id, index, item)
                index += 1
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()
        return Done(prediction_id, SUCCEEDED, streamed=True)

    def _send_item(self, prediction_id: str, index: int, item: Any) -> None:
        outputs = self._plan.outputs()
        value = self._plan.encode_item(item, outputs.add)
        self._send(Output(prediction_id, index, value, outputs.files))

    def _recorder(self, prediction_id: str) -> Record:
        def record(name: str, value: Any, mode: str) -> None:
            self._send(Metric(prediction_id, name, value, mode))

        return record

    def _emit(self, prediction_id: str, source: str, text: str) -> None:
        try:
            self._send(Log(prediction_id, source, text))
        except ValueError:  # Half of a surrogate pair, which UTF-8 has no bytes for.
            text = text.encode("utf-8", "backslashreplace").decode()
            self._send(Log(prediction_id, source, text))

    def _send(self, message: Message) -> None:
        """Send with the other messages of this turn of the loop: one system call for all."""
        frame = self._channel.frame(message)
        if threading.get_ident() != self._loop_thread:
            self._loop.call_soon_threadsafe(self._enqueue, frame)
        else:
            self._enqueue(frame)

    def _enqueue(self, frame: bytes) -> None:
        if not self._frames:
            self._loop.call_soon(self._flush)
        self._frames.append(frame)
        if len(self._frames) >= FRAMES_TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._frames:
            frames, self._frames = self._frames, []
            self._channel.send_frames(frames)

    def _stop_if_idle(self) -> None:
        if self._is_over():
            self._loop.stop()


class _Run:
    """One prediction in the making."""

    def __init__(self) -> None:
        self.task: Optional[asyncio.Task[None]] = None
        self.has_started = False
        self.is_canceled = False
