"""Who may use the server: everybody, or, with ``COG_API_TOKEN``, whoever knows the token.

Probes of orchestrators send no token and learn nothing secret, so theirs are always answered.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol

from cogworks.server.responses import JsonResponse, error_response

if TYPE_CHECKING:
    from starlette.types import Scope

OPEN_PATHS = frozenset({"/livez", "/readyz", "/health-check"})
"""What needs no token."""

CHALLENGE = 'Bearer realm="cogworks"'
"""``WWW-Authenticate`` for a request without a token. Source: RFC 6750, section 3."""

INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token", error_description="The token is not valid"'
"""The same for a request with a wrong one. Source: RFC 6750, section 3.1."""


class Auth(Protocol):
    """Decides on requests before anything else of them is read."""

    def refusal(self, scope: Scope) -> JsonResponse | None:
        """Return the answer to a request that may not pass, None for one that may."""
        ...


class NoAuth:
    """Lets every request pass."""

    def refusal(self, scope: Scope) -> JsonResponse | None:
        """Return None."""
        return None


class BearerAuth:
    """Lets requests pass that carry the token, as ``Authorization: Bearer <token>``."""

    def __init__(self, token: str) -> None:
        """Keep no more of the token than what is needed to know it again."""
        self._digest = _digest(token.strip().encode())

    def refusal(self, scope: Scope) -> JsonResponse | None:
        """Return a 401 answer, or None if the request has the token or needs none."""
        if scope["path"] in OPEN_PATHS:
            return None
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        token = _bearer_token(values[0]) if len(values) == 1 else None
        if token is None:
            return _refuse("This server needs a token: Authorization: Bearer …", CHALLENGE)
        # Digests have one length, so the time tells nothing of the token's, nor of where it differs.
        if not hmac.compare_digest(_digest(token), self._digest):
            return _refuse("The token is not valid", INVALID_TOKEN)
        return None


def auth_for(token: str | None) -> Auth:
    """Return what ``COG_API_TOKEN`` asks for; without one, everything is open."""
    return BearerAuth(token) if token and token.strip() else NoAuth()


def _bearer_token(value: bytes) -> bytes | None:
    scheme, _, token = value.partition(b" ")
    return token.strip() or None if scheme.lower() == b"bearer" else None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _refuse(message: str, challenge: str) -> JsonResponse:
    return error_response(401, message, {"WWW-Authenticate": challenge})
