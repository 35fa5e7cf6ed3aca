"""Whether a request that names an id asks for the prediction that has it."""

from __future__ import annotations

import msgspec

from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.run import Run
from cogworks.server.store import Record
from cogworks.server.validation import InputSchema


def is_same(known: Run | Record, request: PredictionRequest, schema: InputSchema) -> bool:
    """Tell whether a request has the input of a prediction; whose id is ours has no digest."""
    if known.digest is not None:
        return known.digest == request.digest()
    files = request.files
    if files is not None and files.has_names:
        return False  # Names alone do not tell what files hold.
    body = known.body() if isinstance(known, Run) else known.body
    values, _ = schema.split_unknown(request.input)
    if files is not None:
        values = msgspec.json.decode(msgspec.json.encode(files.shown(values)))
    shown = msgspec.json.decode(body)["input"]
    # Secrets are stars on both sides, so a wrong one must not pass for the right one.
    return bool(shown == schema.redact(values)) and not schema.problems(values)
