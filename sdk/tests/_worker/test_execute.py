"""Predictions of a synchronous model."""

from __future__ import annotations

import base64
import functools
import os
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest

from cog._bridge.limits import MAX_FRAME_BYTES
from cog._bridge.messages import Cancel, Done, Metric, Output, Predict, Spilled, decode, encode

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"

Start = Callable[..., Any]


def test_a_prediction_is_answered_with_its_output(ready: Start) -> None:
    worker = ready("echo")
    assert worker.result(text="you") == Done("p1", "succeeded", "hello you")


def test_a_model_that_raises_fails_with_its_message_and_goes_on(ready: Start) -> None:
    worker = ready("misbehaves")
    assert worker.result(how="raise") == Done("p1", "failed", error="this model always fails")
    assert worker.result(how="") == Done("p1", "succeeded", "fine")
    printed = worker.printed()
    assert printed.startswith("Traceback (most recent call last):\n")
    assert printed.endswith("ValueError: this model always fails\n")
    assert "cog/_worker" not in printed


PICKY = """
from dataclasses import dataclass
from typing import Optional
from cog import BaseRunner, Path

@dataclass
class Layer:
    image: Path
    size: int

    def __post_init__(self):
        if self.size % 8:
            raise ValueError("size must be a multiple of 8")

class Runner(BaseRunner):
    def run(self, layer: Optional[Layer] = None, image: Optional[Path] = None) -> float:
        return float("nan")
"""


def test_wrong_inputs_and_outputs_are_named_without_a_traceback(
    ready: Start, tmp_path: Path
) -> None:
    (tmp_path / "run.py").write_text(PICKY)
    worker = ready(tmp_path)
    url = "data:text/plain;base64,aGk="
    inputs: list[tuple[dict[str, Any], str]] = [
        ({"layer": {"image": url, "size": 7}}, 'input "layer": size must be a multiple of 8'),
        ({"image": "data:nonsense"}, "cannot decode 'data:nonsense'"),
        ({"image": "http://127.0.0.1:0/"}, "cannot download http://127.0.0.1:0/"),
        ({}, "output: nan cannot be written as JSON"),
    ]
    for number, (values, error) in enumerate(inputs):
        worker.predict(f"p{number}", **values)
        done = worker.until_done()[-1]
        assert done.status == "failed"
        assert error in done.error
        assert error in worker.printed()
    assert "Traceback" not in worker.printed()


def test_the_type_stands_in_for_an_empty_message(ready: Start) -> None:
    assert ready("misbehaves").result(how="raise nothing").error == "KeyError"


def test_a_model_that_exits_fails_and_the_worker_goes_on(ready: Start) -> None:
    worker = ready("misbehaves")
    assert worker.result(how="sys.exit").error == "SystemExit: 3"
    assert worker.result(how="").output == "fine"


def test_an_iterator_sends_each_item_as_it_is_yielded(ready: Start) -> None:
    worker = ready("yields")
    worker.predict(count=2)
    assert worker.until_done() == [
        Output("p1", 0, "item 0"),
        Output("p1", 1, "item 1"),
        Done("p1", "succeeded", streamed=True),
    ]


def test_the_items_before_a_failure_are_not_lost(ready: Start) -> None:
    worker = ready("yields")
    worker.predict(count=3, fail_at=1)
    assert worker.until_done() == [
        Output("p1", 0, "item 0"),
        Done("p1", "failed", error="failed midway"),
    ]


def test_metrics_come_in_order_also_from_threads(ready: Start) -> None:
    worker = ready("measures")
    worker.predict()
    assert worker.until_done() == [
        Metric("p1", "tokens.in", 3, "replace"),
        Metric("p1", "tokens.out", 1, "increment"),
        Metric("p1", "tokens.out", 2, "increment"),
        Metric("p1", "steps", "a", "append"),
        Metric("p1", "steps", "b", "append"),
        Done("p1", "succeeded", "nobody"),
    ]


def test_everything_that_is_printed_arrives_in_order_before_the_end(ready: Start) -> None:
    worker = ready("prints")
    worker.result()
    lines = worker.printed().splitlines()
    assert lines == [
        "from print",
        "from stderr",
        "from the descriptor",
        "from a child",
        "no newline at the end",
    ]


@pytest.mark.parametrize("what", ["nan", "object"])
def test_an_output_that_json_cannot_hold_fails_with_the_reason(ready: Start, what: str) -> None:
    done = ready("returns").result(what=what)
    assert done.status == "failed"
    assert "output" in done.error


def test_an_output_longer_than_a_frame_travels_in_a_file(ready: Start) -> None:
    worker = ready("returns")
    size = MAX_FRAME_BYTES // (1024 * 1024) + 1
    done = worker.result(what="large", megabytes=size)
    assert len(done.output) == size * 1024 * 1024
    assert not list(worker.temp_dir.glob("spill-*"))


def test_an_input_in_a_file_is_read_and_the_file_removed(ready: Start) -> None:
    from cog._bridge.messages import Predict

    worker = ready("echo")
    path = worker.temp_dir / "spill-input.json"
    path.write_bytes(encode(Predict("p1", {"text": "from a file"})))
    worker.send_bytes(encode(Spilled(str(path))))
    assert worker.until_done()[-1] == Done("p1", "succeeded", "hello from a file")
    assert not path.exists()


def test_a_secret_is_wrapped_and_prints_as_stars(ready: Start) -> None:
    worker = ready("secrets")
    assert worker.result(token="geheim").output == 6
    assert worker.printed() == "**********\n"


def data_url(text: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(text.encode()).decode()


def test_a_file_comes_in_as_a_path_and_goes_out_as_a_token(ready: Start) -> None:
    worker = ready("files")
    done = worker.result(document=data_url("shout"))
    (token,) = done.files
    assert done.output == token
    file = done.files[token]
    assert Path(file["path"]).read_text() == "SHOUT"
    assert (file["name"], file["remove"]) == ("output.txt", True)


def test_input_files_are_gone_after_the_prediction(ready: Start) -> None:
    worker = ready("files")
    done = worker.result(document=data_url("shout"))
    (file,) = done.files.values()
    left = [path for path in worker.temp_dir.rglob("*") if path.is_file()]
    assert sorted(path.name for path in left) == sorted(["printed", os.path.basename(file["path"])])
    assert file["name"] == "output.txt"


def test_a_file_of_the_project_stays_and_its_copy_is_delivered(ready: Start) -> None:
    """The next prediction may write to it while the server still reads."""
    worker = ready("files")
    done = worker.result(document=data_url("mine"), where="project")
    (file,) = done.files.values()
    original = MODELS / "files" / "output.txt"
    assert original.read_text() == "MINE"
    original.write_text("the next one")
    assert Path(file["path"]).read_text() == "MINE"
    assert worker.temp_dir in Path(file["path"]).parents
    assert file["remove"] is True
    original.unlink()


def test_a_file_that_was_uploaded_is_given_by_its_path(ready: Start, tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_text("shout")
    worker = ready("files")
    uploads = {"cog-upload:1": {"path": str(path), "name": "in.txt"}}
    worker.data.send(Predict("p1", {"document": "cog-upload:1"}, files=uploads))
    (file,) = worker.until_done()[-1].files.values()
    assert Path(file["path"]).read_text() == "SHOUT"
    assert path.exists()


def test_an_output_file_that_is_not_there_fails_with_its_path(ready: Start) -> None:
    done = ready("files").result(document=data_url("x"), where="nowhere")
    assert done.status == "failed"
    assert "/nonexistent/output.txt does not exist" in done.error


def test_a_cancel_interrupts_a_sleep_and_the_model_may_clean_up(ready: Start) -> None:
    worker = ready("sleeps")
    worker.predict(seconds=60)
    _cancel_until_done(worker)
    assert worker.printed() == "sleeping\ncleaning up\n"
    worker.predict("p2", seconds=0)
    assert worker.until_done()[-1] == Done("p2", "succeeded", "slept")


def test_a_cancel_that_comes_before_its_prediction_counts(ready: Start) -> None:
    worker = ready("sleeps")
    worker.control.send(Cancel("p1"))
    time.sleep(0.1)  # Two channels: the cancel must win the race for this test.
    assert worker.result(seconds=60) == Done("p1", "canceled")


def test_a_cancel_of_another_prediction_does_nothing(ready: Start) -> None:
    worker = ready("sleeps")
    worker.predict(seconds=0.2)
    worker.control.send(Cancel("other"))
    assert worker.until_done()[-1].status == "succeeded"


def test_a_model_that_swallows_the_cancel_succeeds(ready: Start) -> None:
    worker = ready("sleeps")
    worker.predict(seconds=60, swallow=True)
    worker.wait_printed("sleeping")
    worker.control.send(Cancel("p1"))
    assert worker.until_done()[-1] == Done("p1", "succeeded", "slept")


def _cancel_until_done(worker: Any) -> None:
    worker.wait_printed("sleeping")  # An earlier cancel is another test.
    worker.control.send(Cancel("p1"))
    worker.control.send(Cancel("p1"))
    assert worker.until_done()[-1] == Done("p1", "canceled")


def test_frames_are_never_torn_by_a_cancel(ready: Start) -> None:
    worker = ready("yields")
    for number in range(30):
        name = f"p{number}"
        worker.predict(name, count=2000)
        worker.control.send(Cancel(name))
        messages = worker.until_done()
        assert messages[-1].status in ("canceled", "succeeded")
        items = [message.index for message in messages[:-1]]
        assert items == list(range(len(items)))
    assert decode(encode(Cancel("x"))) == Cancel("x")


def test_a_private_url_is_refused_unless_it_is_allowed(ready: Start, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("shout")
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/note.txt"
        refused = ready("files").result(document=url)
        assert refused.status == "failed"
        assert "not public" in refused.error
        allowed = ready("files", COG_ALLOW_PRIVATE_URLS="1").result(document=url)
        assert allowed.status == "succeeded"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass
