"""What clients see of a prediction, written as rarely as possible."""

from __future__ import annotations

import json

from cogworks.server.predictions import LogAdded, Prediction, Started, Succeeded
from cogworks.server.run import Run


def new_run() -> Run:
    return Run(Prediction("p1", {"text": "x" * 10}, 0.0), "p1", {})


def test_each_body_shows_the_prediction_of_its_moment() -> None:
    run = new_run()
    assert json.loads(run.body()) == run.prediction.snapshot()
    for event in (Started(1.0), LogAdded("stdout", "words"), Succeeded(2.0, "done")):
        run.apply(event)
        assert json.loads(run.body()) == run.prediction.snapshot()


def test_the_input_is_written_once_however_many_updates_there_are() -> None:
    run = new_run()
    first = run.snapshot()["input"]
    run.apply(Started(1.0))
    assert run.snapshot()["input"] is first
    run.apply(Succeeded(2.0, "done"))
    assert bytes(first) in run.body()


def test_fields_keep_their_order() -> None:
    run = new_run()
    early = list(json.loads(run.body()))
    run.apply(Started(1.0))
    run.apply(Succeeded(2.0, "done"))
    assert list(json.loads(run.body())) == early == list(run.prediction.snapshot())
