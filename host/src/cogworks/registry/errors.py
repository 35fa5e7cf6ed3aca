"""What a registry, or the way to it, can answer. Messages never hold credentials, nor the query of a URL.

RegistryError
|- UnreachableError          no connection, or it broke; worth another try
|- CutError                  the command ends, and asks nothing more
|- RefusedAddressError       we will not go there: plain HTTP, or another host's private address
|- AnswerError               an answer that is not a success; by status:
|  |- RedirectedError        3xx where nothing is read
|  |- BlobLostError          400, 404: a manifest is turned down because a blob is not there
|  |- UnauthorizedError      401
|  |- DeniedError            403
|  |- NotFoundError          404
|  |- NotAllowedError        405
|  |- TooLargeError          413
|  |- RateLimitedError       429
|  '- RegistryFailedError    5xx
|- LoginRefusedError         credentials that were to be stored are not taken
|- ProtocolError             a success that lacks what the spec demands
|- MismatchError             the bytes that came are not those of the digest
|- SourceChangedError        the bytes to send are not those that were promised
'- CredentialsError          docker's or podman's credentials cannot be read or written
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from cogworks.errors import CogworksError
from cogworks.oci.digest import Digest

UNKNOWN_BLOB_CODES = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
MESSAGE_MAX_CHARS = 300
"""How much of what a registry says is shown."""


class RegistryError(CogworksError):
    """Base of what can go wrong between us and a registry."""


class UnreachableError(RegistryError):
    """There was no connection, or it broke."""

    def __init__(self, method: str, url: str, why: str) -> None:
        super().__init__(
            f"{method} {shown_url(url)}: {why}. Check the registry's name and the network."
        )


class CutError(RegistryError):
    """All connections were cut on purpose."""


class RefusedAddressError(RegistryError):
    """The address is one that we do not talk to."""


class ProtocolError(RegistryError):
    """The registry's answer lacks what the specification demands."""


class LoginRefusedError(RegistryError):
    """The registry does not take the credentials that were to be stored."""

    def __init__(self, registry: str, said: str) -> None:
        super().__init__(
            f"{registry} does not take these credentials: {said.rstrip('.')}. Nothing was stored. "
            "Check the user and the password; many registries want a token in its place."
        )


class MismatchError(RegistryError):
    """The bytes that came are not those that the digest names."""

    def __init__(self, what: str, wanted: Digest, got: Digest) -> None:
        super().__init__(
            f"{what} should be {wanted}, but what came is {got}. "
            "The registry, or something in between, changed it; try again, or push it anew."
        )


class SourceChangedError(RegistryError):
    """What is to be sent has another length than promised: it was changed meanwhile."""


class SourceBrokenError(RegistryError):
    """What is sent on from another registry cannot be read to its end, in as many tries as make sense.

    Unlike the error that it came from, it is no reason to send again: the tries would multiply.
    """


class CredentialsError(RegistryError):
    """Stored credentials cannot be read or written."""


@dataclass(frozen=True)
class Request:
    """What was asked, and of which registry: the one to log in to."""

    method: str
    url: str
    registry: str


class AnswerError(RegistryError):
    """An answer with a status that is no success.

    Attributes:
        status: of HTTP.
        codes: the registry's own error codes, such as ``BLOB_UNKNOWN``.
        retry_after_s: how long the registry wants us to wait, if it says so.
        said: the registry's own words, if it has some.
    """

    advice = ""

    def __init__(self, request: Request, status: int, body: bytes, retry_after_s: float = 0):
        self.status = status
        self.retry_after_s = retry_after_s
        self.codes, said = _envelope(body)
        self.said = said or f"the registry answered {status}"
        text = f"{request.method} {shown_url(request.url)}: {self.said}"
        text = text if text.endswith((".", "!", "?")) else f"{text}."
        advice = self.advice.format(host=request.registry)
        super().__init__(f"{text} {advice}" if advice else text)


class RedirectedError(AnswerError):
    """3xx to what is no reading, or without an address."""

    advice = "It sends uploads elsewhere, which is not followed: name the registry by the address that it wants."


class BlobLostError(AnswerError):
    """A manifest is turned down because a blob of it is not there."""

    advice = "The registry does not have what it has taken before. Push again; if it says so again, its storage has a problem."


class UnauthorizedError(AnswerError):
    """401."""

    advice = "Run `cog login {host}` (or log in with docker or podman)."


class DeniedError(AnswerError):
    """403."""

    advice = "These credentials may not do that: check the repository's name and your rights, or run `cog login {host}` as somebody else."


class NotFoundError(AnswerError):
    """404."""

    advice = "Check the image's name and tag. Some registries say this of private images too: `cog login {host}`."


class NotAllowedError(AnswerError):
    """405."""

    advice = "It may be read-only, such as a mirror, or no registry at all."


class TooLargeError(AnswerError):
    """413."""

    advice = "The registry, or a proxy in front of it, limits the size of an upload (413): raise that limit, or make layers smaller."


class RateLimitedError(AnswerError):
    """429."""

    advice = "The registry limits how often it is asked (429): wait, or run `cog login {host}` for a higher limit."


class RegistryFailedError(AnswerError):
    """5xx."""

    advice = "The registry has a problem of its own; try again later."


def answer_error(
    request: Request, status: int, body: bytes, headers: Mapping[str, str]
) -> AnswerError:
    """Return the error for an answer."""
    kinds: dict[int, type[AnswerError]] = {
        401: UnauthorizedError,
        403: DeniedError,
        404: NotFoundError,
        405: NotAllowedError,
        413: TooLargeError,
        429: RateLimitedError,
    }
    usual = RegistryFailedError if status >= 500 else AnswerError
    usual = RedirectedError if 300 <= status < 400 else usual
    kind = kinds.get(status, usual)
    if request.method == "PUT" and UNKNOWN_BLOB_CODES & set(_envelope(body)[0]):
        kind = BlobLostError
    return kind(request, status, body, _seconds(headers.get("retry-after", "")))


def shown_url(url: str) -> str:
    """Return the URL without user, query and fragment: those may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _seconds(text: str) -> float:
    """Return the seconds of a Retry-After; a date counts as nothing said."""
    return float(text) if text.strip().isdigit() else 0


def _envelope(body: bytes) -> tuple[tuple[str, ...], str]:
    """Return codes and sentence of the spec's `{"errors": [{"code", "message"}]}`."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return (), ""
    found = cast("dict[str, object]", value).get("errors") if isinstance(value, dict) else None
    if not isinstance(found, list):
        return (), ""
    items = [
        cast("dict[str, object]", item)
        for item in cast("list[object]", found)
        if isinstance(item, dict)
    ]
    pairs = [(str(item.get("code", "")), str(item.get("message", ""))) for item in items]
    # The code UNKNOWN alone says less than the status does.
    telling = [pair for pair in pairs if pair not in (("UNKNOWN", ""), ("", ""))]
    said = "; ".join(": ".join(part for part in pair if part) for pair in telling)
    return tuple(code for code, _ in pairs), " ".join(said.split())[:MESSAGE_MAX_CHARS]
