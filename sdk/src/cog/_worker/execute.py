"""Run the predictions of a synchronous model, one after another, on the main thread."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, cast

from cog._bridge.messages import CANCELED, SUCCEEDED, Done, Metric, Output, Predict
from cog._worker.cancel import Canceller
from cog._worker.channel import Channel
from cog._worker.files import close_files
from cog._worker.logs import flush_streams
from cog._worker.run import Plan, end_forked_child, failure, final_frame, print_traceback
from cog.errors import CancelationException
from cog.metrics import Record
from cog.scope import Scope, enter_scope, exit_scope

AWAKE_S = 0.0002
"""How long the worker looks for a next prediction before it sleeps. To wake a sleeping process takes
about as long as all else that is done for a prediction (measured: 100 of 270 µs on a virtual
machine), and a client with more to ask asks soon."""


class SyncExecutor:
    """Takes ``Predict`` messages and answers each with exactly one ``Done``."""

    def __init__(self, plan: Plan, channel: Channel, canceller: Canceller) -> None:
        """Serve ``channel`` with the model of ``plan``."""
        self._plan = plan
        self._channel = channel
        self._canceller = canceller

    def serve(self) -> None:
        """Work until the channel ends."""
        awake_s = AWAKE_S if count_cpus() > 1 else 0.0
        for message in self._channel.receive(awake_s=awake_s):
            if isinstance(message, Predict):
                done = self._predict(message)
                if self._channel.is_abandoned:
                    end_forked_child()
                self._channel.send_frames([final_frame(self._channel, done)])

    def cancel(self, prediction_id: str) -> None:
        """Interrupt a prediction; called by the control thread."""
        self._canceller.cancel(prediction_id)

    def stop(self) -> None:
        """Let ``serve`` return after the prediction that runs."""
        self._channel.stop_receiving()

    def _predict(self, message: Predict) -> Done:
        self._canceller.start(message.id)
        try:
            return self._run(message)
        except CancelationException:
            return Done(message.id, CANCELED)
        except (
            BaseException
        ) as error:  # SystemExit too: a model that exits only ends its prediction.
            self._canceller.leave()
            if self._channel.is_abandoned:
                end_forked_child(error)
            print_traceback(error)
            return failure(message.id, error)
        finally:
            self._canceller.finish()
            flush_streams()

    def _run(self, message: Predict) -> Done:
        canceller = self._canceller
        scope = Scope(message.context, self._recorder(message.id))
        token = enter_scope(scope, process_wide=True)
        files: list[Any] = []
        try:
            values = self._plan.coerce(message.input)
            canceller.enter()
            files = self._plan.inputs.open(values, message.files)
            result = self._plan.model.call(**values)
            canceller.leave()
            return self._finish(message.id, result)
        finally:
            canceller.leave()
            close_files(files)
            exit_scope(token)

    def _finish(self, prediction_id: str, result: Any) -> Done:
        is_whole = isinstance(result, (str, bytes)) or hasattr(result, "read")  # A file has lines.
        if not is_whole and (self._plan.always_streams or isinstance(result, Iterator)):
            return self._stream(prediction_id, cast("Iterable[Any]", result))
        outputs = self._plan.outputs()
        value = self._plan.encode(result, outputs.add)
        if self._plan.always_streams:
            value = [value]
        return Done(prediction_id, SUCCEEDED, value, files=outputs.files)

    def _stream(self, prediction_id: str, result: Iterable[Any]) -> Done:
        canceller = self._canceller
        iterator = iter(result)
        index = 0
        try:
            while True:
                canceller.enter()
                try:
                    item = next(iterator)
                except StopIteration:
                    return Done(prediction_id, SUCCEEDED, streamed=True)
                finally:
                    canceller.leave()
                outputs = self._plan.outputs()
                value = self._plan.encode_item(item, outputs.add)
                self._channel.send(Output(prediction_id, index, value, outputs.files))
                index += 1
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()  # A generator that was canceled between two items cleans up now.

    def _recorder(self, prediction_id: str) -> Record:
        def record(name: str, value: Any, mode: str) -> None:
            message = Metric(prediction_id, name, value, mode)
            if not self._canceller.is_main_thread():
                self._channel.send(message)
                return
            # An exception in the middle of a frame would end the conversation with the server.
            self._canceller.leave()
            self._channel.send(message)
            self._canceller.enter()

        return record


def count_cpus() -> int:
    """Return how many processors this process may run on: with one, waiting awake stops the others."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
