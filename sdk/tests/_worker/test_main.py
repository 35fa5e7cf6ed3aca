"""The worker from its first word to its last, as a real process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest

from cog import __version__
from cog._bridge.messages import Done, Hello, Ready, SetupFailed, Shutdown
from cog._bridge.version import PROTOCOL_VERSION

Start = Callable[..., Any]


def test_the_worker_introduces_itself_before_it_knows_the_model(launch: Start) -> None:
    worker = launch("echo")
    hello = worker.next_control()
    assert isinstance(hello, Hello)
    assert (hello.protocol, hello.sdk) == (PROTOCOL_VERSION, __version__)


def test_a_model_that_is_set_up_is_announced_with_its_schema(launch: Start) -> None:
    worker = launch("echo")
    worker.init()
    worker.next_control()
    ready = worker.next_control()
    assert isinstance(ready, Ready)
    assert (ready.slots, ready.is_async) == (1, False)
    assert ready.schema is not None
    assert "text" in ready.schema["components"]["schemas"]["Input"]["properties"]
    assert worker.printed() == "setting up\n"


def test_the_concurrency_of_the_decorator_holds_unless_the_server_says_another(
    launch: Start,
) -> None:
    for slots, expected in ((None, 8), (3, 3)):
        worker = launch("echo_async")
        worker.init(slots=slots)
        worker.next_control()
        ready = worker.next_control()
        assert isinstance(ready, Ready)
        assert (ready.slots, ready.is_async) == (expected, True)


def test_several_slots_need_an_async_model(launch: Start) -> None:
    worker = launch("echo")
    worker.init(slots=2)
    worker.next_control()
    assert worker.next_control() == SetupFailed(
        "COG_MAX_CONCURRENCY > 1 requires an async run() or predict() method"
    )


@pytest.mark.parametrize(
    ("model", "ref", "error"),
    [
        ("echo", "missing.py:Runner", "missing.py not found in"),
        ("echo", "run.py:Missing", "Missing not found in run.py"),
        ("function", "run.py", "run.py has no Runner or Predictor"),
        ("setup_raises", "run.py:Runner", "weights are corrupt"),
    ],
)
def test_a_model_that_cannot_be_set_up_is_reported_with_the_reason(
    launch: Start, model: str, ref: str, error: str
) -> None:
    worker = launch(model)
    worker.init(ref=ref)
    worker.next_control()
    failed = worker.next_control()
    assert isinstance(failed, SetupFailed)
    assert error in failed.error
    assert worker.process.wait(10) == 0


def test_what_setup_printed_and_the_traceback_are_there_when_it_fails(launch: Start) -> None:
    worker = launch("setup_raises")
    worker.init()
    worker.next_control()
    worker.next_control()
    assert worker.printed().startswith("loading weights\nTraceback")
    assert "RuntimeError: weights are corrupt" in worker.printed()


def test_the_traceback_of_an_import_begins_with_the_authors_line(
    launch: Start, tmp_path: Path
) -> None:
    (tmp_path / "run.py").write_text("import no_such_package\n")
    worker = launch(tmp_path)
    worker.init()
    worker.next_control()
    assert isinstance(worker.next_control(), SetupFailed)
    first, frame, *_ = worker.printed().splitlines()
    assert first == "Traceback (most recent call last):"
    assert frame.strip().endswith('run.py", line 1, in <module>')


def test_another_version_of_the_protocol_is_refused_with_both_numbers(launch: Start) -> None:
    worker = launch("echo")
    worker.init(protocol=999)
    worker.next_control()
    failed = worker.next_control()
    assert isinstance(failed, SetupFailed)
    assert "999" in failed.error
    assert f"version {PROTOCOL_VERSION}" in failed.error


def test_shutdown_ends_the_worker_in_order(ready: Start) -> None:
    for model in ("echo", "echo_async"):
        worker = ready(model)
        worker.control.send(Shutdown())
        assert worker.process.wait(10) == 0


def test_shutdown_lets_the_running_prediction_finish(ready: Start) -> None:
    for model, inputs in (("sleeps", {"seconds": 0.2}), ("sleeps_async", {"seconds": 0.2})):
        worker = ready(model)
        worker.predict(**inputs)
        worker.control.send(Shutdown())
        assert worker.until_done()[-1] == Done("p1", "succeeded", "slept")
        assert worker.process.wait(10) == 0


def test_a_worker_whose_server_is_gone_ends_with_its_children(ready: Start) -> None:
    worker = ready("forks")
    child = worker.result().output
    worker.hang_up()
    worker.process.wait(10)
    deadline = time.monotonic() + 10
    while _is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_weights_of_the_environment_reach_setup(ready: Start, tmp_path: Any) -> None:
    weights = tmp_path / "weights.txt"
    weights.write_text("heavy")
    assert ready("weights", COG_WEIGHTS=str(weights)).result().output == "heavy"
    assert ready("weights").result().output == "no weights"


def test_a_cog_folder_in_the_project_is_not_mistaken_for_the_sdk(ready: Start) -> None:
    assert ready("own_cog_folder").result().output == "the SDK was imported"


def test_a_function_is_a_model_too(ready: Start) -> None:
    worker = ready("function", {"ref": "run.py:run"})
    assert worker.result(text="you").output == "hello you"
    assert worker.result().output == "hello nobody"


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
