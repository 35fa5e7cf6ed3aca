"""Whether a request that names an id asks for the prediction that has it.

A digest of the inputs tells, which the store keeps, so that the next server can tell too. A secret
among them could be found out from a plain digest by guessing, if it is short: inputs with secrets
have a digest with a key, which nobody but this server knows and which ends with it. The next one
cannot compare them, and says so rather than give one client the result of another.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from cogworks.server.errors import ConflictError
from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.run import Run
from cogworks.server.store import Record
from cogworks.server.validation import InputSchema

KEY_BYTES = 32
"""More than anybody can guess."""

NAME_BYTES = 8
"""Of a key's name, which stands before a digest."""

UNKNOWN = (
    "and nobody can tell whether with this input: it holds secrets, and the server that knew them "
    "has ended. GET shows the prediction"
)


class Digests:
    """Makes and compares the digests of one server."""

    def __init__(self) -> None:
        """Make a key."""
        self._key = os.urandom(KEY_BYTES)
        self._name = os.urandom(NAME_BYTES).hex()

    def of(
        self, request: PredictionRequest, values: dict[str, Any], schema: InputSchema
    ) -> str | None:
        """Return the digest of a new prediction; None where its body will tell its input.

        Args:
            values: those of the inputs that the model has.
        """
        if schema.has_secrets(values):
            return f"{self._name}:{request.digest(self._key)}"
        return None if request.id is None else request.digest()

    def check_same(
        self, known: Run | Record, request: PredictionRequest, schema: InputSchema
    ) -> None:
        """Refuse a request with another input than that of the prediction that has its id.

        Raises:
            ConflictError: it is another one, or nobody can tell.
        """
        name, _, digest = (known.digest or "").rpartition(":")
        if name and name != self._name:
            raise ConflictError(request.id or "", UNKNOWN)
        if known.digest is None:
            is_same = _is_shown(known, request, schema)
        else:
            is_same = digest == request.digest(self._key if name else None)
        if not is_same:
            raise ConflictError(request.id or "")


def _is_shown(known: Run | Record, request: PredictionRequest, schema: InputSchema) -> bool:
    """Tell whether a request has the input that a prediction shows."""
    files = request.files
    if files is not None and files.has_names:
        return False  # Names alone do not tell what files hold.
    values, _ = schema.split_unknown(request.input)
    if schema.has_secrets(values):
        return False  # What has some is known by its digest; and all secrets look alike.
    body = known.body() if isinstance(known, Run) else known.body
    if files is not None:
        values = msgspec.json.decode(msgspec.json.encode(files.shown(values)))
    # To Python, false and 0 are equal; what does not fit is not the same either.
    return bool(msgspec.json.decode(body)["input"] == values) and not schema.problems(values)
