"""What the server writes on standard error, for machines and for people."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cogworks.server import log
from cogworks.server.dispatch import LogLine
from cogworks.server.log import (
    ConsoleFormatter,
    JsonFormatter,
    LogSettingError,
    ModelLog,
    configure,
)
from cogworks.server.prediction_log import find_trace_ids

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}


def record(message: str, *values: Any, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("cogworks.x", logging.INFO, "x.py", 1, message, values, None)
    if fields:
        made.fields = fields
    return made


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_fields_of_a_record_are_fields_of_its_line() -> None:
    line = json.loads(JsonFormatter().format(record("done", prediction="p1", seconds=0.5)))
    assert (line["message"], line["prediction"], line["seconds"]) == ("done", "p1", 0.5)
    assert (line["level"], line["logger"]) == ("info", "cogworks.x")


def test_a_line_tells_its_time_in_utc_to_the_millisecond() -> None:
    made = record("done")
    made.created = 1_700_000_000.0625
    assert json.loads(JsonFormatter().format(made))["time"] == "2023-11-14T22:13:20.062+00:00"


def test_a_prediction_that_a_message_names_is_a_field() -> None:
    line = json.loads(JsonFormatter().format(record("webhook failed prediction=%s kind=x", "p.1")))
    assert line["prediction"] == "p.1"


def test_a_line_that_is_about_no_prediction_has_no_such_field() -> None:
    assert "prediction" not in json.loads(JsonFormatter().format(record("shutting down")))


def test_people_read_the_same_in_one_line() -> None:
    text = ConsoleFormatter().format(record("prediction failed", error="two\nlines", seconds=1.5))
    assert text == "INFO prediction failed error=two lines seconds=1.5"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_that_is_written_at_once_is_the_line_of_a_record(
    root: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    configure("json", "info")
    logger = logging.getLogger("a.b")
    fields = {"prediction": "p1", "seconds": 0.5}
    logger.info("done", extra={"fields": fields})
    log.info(logger, "done", fields)
    root.addHandler(logging.NullHandler())
    log.info(logger, "done", fields)
    lines = lines_of(capfd.readouterr().err)
    assert len(lines) == 3
    assert len({line.pop("time")[:16] for line in lines}) <= 2
    assert (
        lines[0]
        == lines[1]
        == lines[2]
        == {"level": "info", "logger": "a.b", **fields} | {"message": "done"}
    )


def test_other_handlers_hear_of_what_is_written_at_once(
    root: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    configure("json", "info")
    root.addHandler(caplog.handler)
    log.info(logging.getLogger("a"), "done", {"prediction": "p1"})
    assert [record.getMessage() for record in caplog.records] == ["done"]


def test_a_traceback_stays_below_its_line() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        made = record("broken", prediction="p1")
        made.exc_info = sys.exc_info()
    text = ConsoleFormatter().format(made)
    assert text.startswith("INFO broken prediction=p1\nTraceback")
    assert "ValueError: x" in json.loads(JsonFormatter().format(made))["exception"]


def test_what_a_model_prints_carries_its_trace(capfd: pytest.CaptureFixture[str]) -> None:
    model_log = ModelLog("json", {"p1": TRACE}.__getitem__)
    model_log.write(LogLine("p1", "stdout", "one\ntw"))
    model_log.write(LogLine("p1", "stdout", "o\n"))
    model_log.write(LogLine(None, "stdout", "whose?\n"))
    one, two, nobody = lines_of(capfd.readouterr().err)
    assert (one["message"], two["message"]) == ("one", "two")
    assert one["prediction"] == "p1"
    assert TRACE.items() <= one.items()
    assert "trace_id" not in nobody


@pytest.mark.parametrize("header", ["", "nonsense", "00-short-short-01", "00--b7ad6b7169203331-01"])
def test_a_header_that_names_no_trace_adds_nothing(header: str) -> None:
    assert find_trace_ids(header) == {}
    assert find_trace_ids(TRACEPARENT) == TRACE


@pytest.mark.parametrize(("form", "level"), [("xml", "info"), ("json", "loud")])
def test_unknown_settings_are_refused(form: str, level: str) -> None:
    with pytest.raises(LogSettingError, match="expected"):
        configure(form, level)


@pytest.mark.slow
def test_the_life_of_a_prediction_is_two_lines(launch_server: Any) -> None:
    server = launch_server("echo")
    done = server.client.post(
        "/predictions",
        json={"input": {"text": "confidential"}},
        headers={"traceparent": TRACEPARENT},
    ).json()
    lines = [line for line in lines_of(server.log()) if line.get("prediction") == done["id"]]
    assert [line["message"] for line in lines] == ["prediction started", "prediction succeeded"]
    assert [line["status"] for line in lines] == ["processing", "succeeded"]
    assert lines[0]["queue_seconds"] >= 0
    assert lines[1]["seconds"] >= 0
    assert all(TRACE.items() <= line.items() and line["level"] == "info" for line in lines)
    assert "confidential" not in server.log()


@pytest.mark.slow
def test_a_failure_is_logged_with_its_reason(launch_server: Any) -> None:
    server = launch_server("misbehaves", LOG_FORMAT="console")
    failed = server.predict(how="raise").json()
    wanted = f"prediction failed prediction={failed['id']} status=failed"
    (line,) = [line for line in server.log().splitlines() if wanted in line]
    assert line.endswith(f"error={' '.join(failed['error'].split())}")


@pytest.mark.slow
def test_from_warning_on_predictions_are_not_logged(launch_server: Any) -> None:
    server = launch_server("echo", COG_LOG_LEVEL="warning")
    done = server.predict(text="x").json()
    assert done["id"] not in server.log()
