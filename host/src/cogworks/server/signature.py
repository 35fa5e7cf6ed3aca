"""Signatures by which a receiver knows that a webhook comes from this server, unchanged.

Source: Standard Webhooks, "Signature scheme": HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from cogworks.errors import CogworksError

PREFIX = "whsec_"
"""May stand before a secret, so that people recognize one."""

LEAST_BYTES = 24
MOST_BYTES = 64
"""How long a secret may be. Source: Standard Webhooks, "Signature scheme"."""


class SecretError(CogworksError):
    """The secret cannot be used; the sentence never shows it."""

    def __init__(self, reason: str) -> None:
        """Say what is wrong, and how to make a good one."""
        super().__init__(
            f'COG_WEBHOOK_SECRET: {reason}. It is base64, with or without "{PREFIX}" in front; '
            "make one with `openssl rand -base64 32`."
        )


def parse_secrets(text: str) -> tuple[bytes, ...]:
    """Return the keys of a secret; several, separated by spaces, let receivers change over in peace.

    Raises:
        SecretError: one is not base64, too short or too long, or there is none.
    """
    keys = tuple(_parse_secret(word) for word in text.split())
    if not keys:
        raise SecretError("it is empty")
    return keys


def signature_headers(
    keys: tuple[bytes, ...], message_id: str, sent_at: float, body: bytes
) -> Mapping[str, str]:
    """Return the three headers of a signed message; ``sent_at`` in seconds since the epoch."""
    timestamp = str(int(sent_at))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_sign(key, message_id, timestamp, body) for key in keys),
    }


def message_id(prediction_id: str, body: bytes) -> str:
    """Return what names a message: the same for each attempt, before and after a restart."""
    digest = hashlib.sha256(prediction_id.encode())
    digest.update(b"\n")
    digest.update(body)
    return f"msg_{digest.hexdigest()[:32]}"


def _parse_secret(word: str) -> bytes:
    try:
        key = base64.b64decode(word.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError("it is not base64") from None  # The cause would quote it.
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise SecretError(f"it has {len(key)} bytes, not {LEAST_BYTES} to {MOST_BYTES}")
    return key


def _sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode(), hashlib.sha256)
    mac.update(body)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"
