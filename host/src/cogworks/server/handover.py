"""What a server leaves to the next one: how to run a prediction, and whom to tell of its end.

Kept in the store beside each prediction that somebody will ask for. Only what nobody waits for, at
the other end of a connection, can be run by another server; and secrets are never stored, so what
was given one cannot either. Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

MOST_BEGINNINGS = 3
"""Servers that may begin one prediction, with COG_RETRY_LOST: the next one might be its victim too."""

HAS_CLIENT = "its client was waiting for the answer"
HAS_SECRETS = "its input holds secrets, which are not stored"
"""Why another server cannot run a prediction."""


class Handover(msgspec.Struct, omit_defaults=True):
    """A request as the store keeps it.

    ``begun`` counts the servers that have handed it to a worker. With an ``obstacle``, the reason why
    no other server can run it, its input is not kept.
    """

    input: dict[str, Any]
    context: dict[str, str]
    webhook: str | None
    events: frozenset[str]
    trace: Mapping[str, str]
    begun: int = 0
    obstacle: str | None = None

    def hinder(self, obstacle: str) -> None:
        """Note why no other server can run it, and forget the input."""
        self.obstacle = obstacle
        self.input = {}

    def encode(self) -> bytes:
        """Return the JSON for the store."""
        return msgspec.json.encode(self)

    def encode_receiver(self) -> bytes | None:
        """Return the JSON of who wants to know of the end, None if nobody does."""
        if self.webhook is None or "completed" not in self.events:
            return None
        return msgspec.json.encode(Receiver(self.webhook, self.trace))


class Receiver(msgspec.Struct, frozen=True):
    """Where the end of a prediction is to be told, with which headers of a trace."""

    url: str
    trace: Mapping[str, str]


def read_handover(request: bytes | None) -> Handover | None:
    """Return what a server left; None if it left nothing that can be read."""
    if request is None:
        return None
    try:
        return msgspec.json.decode(request, type=Handover)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def read_receiver(webhook: bytes | None) -> Receiver | None:
    """Return who is to be told; None if that cannot be read."""
    if webhook is None:
        return None
    try:
        return msgspec.json.decode(webhook, type=Receiver)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def why_not_again(handover: Handover | None, *, has_begun: bool, retry_lost: bool) -> str | None:
    """Return the error of a prediction that the last server did not end; None if it is to be run."""
    what = "worked on" if has_begun else "began"
    lost = f"the server ended {'while' if has_begun else 'before'} it {what} this prediction"
    if handover is None or (has_begun and not retry_lost):
        return lost
    if handover.obstacle is not None:
        return f"{lost}, and another cannot run it: {handover.obstacle}"
    if has_begun and handover.begun >= MOST_BEGINNINGS:
        return f"{lost}; that was try {handover.begun} of {MOST_BEGINNINGS}"
    return None
