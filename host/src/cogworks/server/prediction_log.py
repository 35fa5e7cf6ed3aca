"""The life of each prediction in the server's log: one line when a worker has it, one at its end.

Neither line holds inputs, outputs or what the model printed; that is logged for itself.
"""

from __future__ import annotations

import logging
from typing import Any

from cogworks.server.log import info
from cogworks.server.predictions import Canceled, Event, Failed, Prediction, Started, Succeeded
from cogworks.server.run import Run

MAX_ERROR_CHARACTERS = 200
"""How much of an error's text is logged; all of it is in the prediction."""

logger = logging.getLogger(__name__)


def is_wanted() -> bool:
    """Tell whether the lines would be written at all: without them a prediction costs less."""
    return logger.isEnabledFor(logging.INFO)


def watch(run: Run) -> None:
    """Log the life of a run that has just been made."""
    trace = find_trace_ids(run.trace.get("traceparent", ""))

    def observe(prediction: Prediction, event: Event) -> None:
        if isinstance(event, Started):
            waited_s = event.at - prediction.created_at
            _write("prediction started", prediction, {"queue_seconds": _seconds(waited_s)}, trace)
        elif isinstance(event, (Succeeded, Failed, Canceled)):
            fields: dict[str, Any] = {
                "seconds": _seconds(event.at - (prediction.started_at or event.at))
            }
            if prediction.error:
                fields["error"] = prediction.error[:MAX_ERROR_CHARACTERS]
            _write(f"prediction {prediction.status.value}", prediction, fields, trace)

    run.observers.append(observe)


def find_trace_ids(traceparent: str) -> dict[str, str]:
    """Return the trace that a header names, as fields of a log line. Source: W3C Trace Context."""
    parts = traceparent.split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return {}
    return {"trace_id": parts[1], "span_id": parts[2]}


def _write(
    message: str, prediction: Prediction, fields: dict[str, Any], trace: dict[str, str]
) -> None:
    known = {"prediction": prediction.id, "status": prediction.status.value}
    info(logger, message, {**known, **fields, **trace})


def _seconds(value: float) -> float:
    """Round to microseconds; a clock that is set back takes nothing away."""
    return round(max(value, 0.0), 6)
