"""Models that meddle with their worker: what the server hears, and that the next prediction runs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from cog._bridge.exits import BRIDGE_LOST
from cog._bridge.messages import Cancel, Done
from cog._worker.run import MAX_ERROR_CHARACTERS, describe

Start = Callable[..., Any]

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")


def check_served(worker: Any, name: str) -> None:
    worker.predict(name, code="")
    assert worker.until_done() == [Done(name, "succeeded", "fine")]


@LINUX
@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(600)",
        "import ctypes; ctypes.PyDLL(None).pause()",
        "import subprocess; subprocess.run(['sleep', '600'])",
    ],
)
def test_the_kernel_ends_the_worker_when_the_lifeline_is_let_go(ready: Start, code: str) -> None:
    worker = ready("obeys")
    worker.predict(code="print('begun')\n" + code)
    worker.wait_printed("begun")
    worker.lifeline.close()
    assert worker.process.wait(20) == -signal.SIGKILL


@LINUX
def test_a_lifeline_that_was_let_go_before_the_worker_looked_ends_it_too(launch: Start) -> None:
    worker = launch("obeys")
    worker.lifeline.close()
    assert worker.process.wait(20) == -signal.SIGKILL


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_forked_child_that_comes_back_says_nothing_to_the_server(
    ready: Start, model: str
) -> None:
    worker = ready(model)
    worker.predict(code="import os\nos.fork()\nos.fork()")
    assert worker.until_done() == [Done("p1", "succeeded", "fine")]
    for number in range(5):
        check_served(worker, f"next{number}")


def test_a_stream_and_a_metric_of_a_forked_child_go_nowhere(ready: Start) -> None:
    worker = ready("obeys")
    worker.predict(
        code="import os\n"
        "def items():\n"
        "    child = os.fork()\n"
        "    if child: os.waitpid(child, 0)\n"
        "    self.record_metric('m', 1)\n"
        "    yield 1\n"
        "result = items()"
    )
    messages = worker.until_done()
    assert [type(message).__name__ for message in messages] == ["Metric", "Output", "Done"]
    check_served(worker, "next")


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_worker_without_its_sockets_ends_with_a_number_that_says_so(
    ready: Start, model: str
) -> None:
    worker = ready(model)
    worker.predict(code="import os; os.closerange(3, 1024)")
    assert worker.process.wait(20) == BRIDGE_LOST


def test_a_handler_that_the_model_replaced_in_one_prediction_is_back_in_the_next(
    ready: Start,
) -> None:
    worker = ready("obeys")
    worker.predict(
        code="import signal, time\n"
        "signal.signal(signal.SIGUSR1, signal.SIG_DFL)\n"
        "print('taken')\n"
        "for _ in range(20): time.sleep(0.01)"
    )
    worker.wait_printed("taken")
    worker.control.send(Cancel("p1"))
    assert worker.until_done() == [Done("p1", "succeeded", "fine")]
    assert "the model has taken SIGUSR1 for itself" in worker.printed()
    worker.predict("p2", code="import time; print('second'); time.sleep(600)")
    worker.wait_printed("second")
    worker.control.send(Cancel("p2"))
    assert worker.until_done() == [Done("p2", "canceled")]


def test_a_cancel_in_a_finalizer_is_sent_again(ready: Start) -> None:
    worker = ready("obeys")
    worker.predict(
        code="import time\n"
        "class Slow:\n"
        "    def __del__(self):\n"
        "        print('waiting')\n"
        "        time.sleep(600)\n"
        "Slow()\n"
        "time.sleep(600)"
    )
    worker.wait_printed("waiting")
    worker.control.send(Cancel("p1"))
    assert worker.until_done() == [Done("p1", "canceled")]


def test_a_folder_that_the_model_removed_is_made_again_for_a_long_output(
    ready: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "temp"
    folder.mkdir()
    worker = ready("obeys", {"temp_dir": str(folder)})
    worker.predict(
        code="import shutil, tempfile\n"
        "shutil.rmtree(tempfile.gettempdir())\n"
        "result = 'x' * (65 << 20)"
    )
    (done,) = worker.until_done()
    assert len(done.output) == 65 << 20


def test_what_an_error_says_is_bounded_and_never_raises() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise KeyError("broken")

    assert describe(Broken()) == "Broken (its text cannot be had: KeyError in __str__)"
    text = describe(ValueError("x" * (MAX_ERROR_CHARACTERS + 1)))
    assert text == "x" * MAX_ERROR_CHARACTERS + f" [cut: {MAX_ERROR_CHARACTERS + 1} characters]"
    assert describe(ValueError("\ud800")) == "\\ud800"
