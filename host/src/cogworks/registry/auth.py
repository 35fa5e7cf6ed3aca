"""Challenges and the answers to them, as generators without I/O: `answer = yield TokenRequest(...)`.

A registry answers 401 with `WWW-Authenticate`: `Basic`, or `Bearer realm="...",service="..."`, which names a service
that sells tokens for scopes. Source: distribution's "Token Authentication Specification" and "OAuth2 Token
Authentication".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from cogworks.oci.reference import Repository
from cogworks.registry.errors import ProtocolError, Request, answer_error

TOKEN_LIFE_S = 60
"""How long a token lives if its seller does not say; source: the specification."""

CLIENT_ID = "cogworks"
Scopes: TypeAlias = frozenset[str]


@dataclass(frozen=True)
class Credential:
    """A user and a password, or an identity token that buys access tokens."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of the header for basic authentication."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True)
class Challenge:
    """One way in that a registry offers; ``scheme`` in lower case."""

    scheme: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class TokenRequest:
    """What to ask a token service; ``form`` makes it a POST."""

    url: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True)
class TokenAnswer:
    """What a token service says."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Authorization:
    """A header's value, and for how long it is good; None is forever."""

    header: str = field(repr=False)
    life_s: float | None = None


Dance: TypeAlias = Generator[TokenRequest, TokenAnswer, Authorization | None]


def pull_scope(repository: Repository) -> str:
    """Return what reading a repository needs; also that of a blob's other repository, for a mount."""
    return f"repository:{repository.name}:pull"


def push_scope(repository: Repository) -> str:
    """Return what writing to a repository needs."""
    return f"repository:{repository.name}:pull,push"


def covers(held: Scopes, wanted: Scopes) -> bool:
    """Return whether a token for some scopes serves for others."""
    return _single(wanted) <= _single(held)


def authorize(
    registry: str, challenges: Iterable[Challenge], scopes: Scopes, credential: Credential | None
) -> Dance:
    """Return what to put into `Authorization`; None if there is no way in with what we have.

    Args:
        registry: the one to log in to, for messages.
    """
    by_scheme = {challenge.scheme: challenge for challenge in challenges}
    if "bearer" in by_scheme:
        return (yield from _bearer(registry, by_scheme["bearer"], scopes, credential))
    if "basic" in by_scheme and credential and credential.password:
        return Authorization(credential.basic)
    return None


_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*,?')
_SCHEME = re.compile(rf"\s*,?\s*({_TOKEN})(?=\s|$|,)")


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return the challenges of all `WWW-Authenticate` headers; what cannot be read is left out."""
    found: list[Challenge] = []
    for header in headers:
        at = 0
        while scheme := _SCHEME.match(header, at):
            at, parameters = scheme.end(), dict[str, str]()
            while parameter := _PARAMETER.match(header, at):
                at = parameter.end()
                quoted = parameter[2]
                value = parameter[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters[parameter[1].lower()] = value
            found.append(Challenge(scheme[1].lower(), parameters))
    return found


def _bearer(
    registry: str, challenge: Challenge, scopes: Scopes, credential: Credential | None
) -> Dance:
    realm = challenge.parameters.get("realm", "")
    wanted = scopes or frozenset(challenge.parameters.get("scope", "").split())
    service = challenge.parameters.get("service", "")
    common = (("service", service),) if service else ()
    method = "GET"
    if credential and credential.identity_token:
        method = "POST"
        answer = yield TokenRequest(
            realm,
            form=(
                ("grant_type", "refresh_token"),
                *common,
                ("client_id", CLIENT_ID),
                ("scope", " ".join(sorted(wanted))),
                ("refresh_token", credential.identity_token),
            ),
        )
    else:
        query = (*common, *(("scope", scope) for scope in sorted(wanted)))
        basic = credential.basic if credential and credential.password else ""
        answer = yield TokenRequest(realm, query=query, authorization=basic)
    if answer.status != 200:
        raise answer_error(Request(method, realm, registry), answer.status, answer.body, {})
    return _token(realm, answer.body)


def _token(realm: str, body: bytes) -> Authorization:
    try:
        value: object = json.loads(body)
    except ValueError:
        value = None
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    token = fields.get("token") or fields.get("access_token")
    if not isinstance(token, str) or not token.isprintable() or " " in token:
        raise ProtocolError(f"{realm.partition('?')[0]} answered without a token.")
    life_s = fields.get("expires_in")
    if not isinstance(life_s, int | float) or life_s <= 0:
        life_s = TOKEN_LIFE_S
    return Authorization(f"Bearer {token}", float(life_s))


def _single(scopes: Scopes) -> set[str]:
    """Return `type:name:action` for each action."""
    split = (scope.rpartition(":") for scope in scopes)
    return {f"{name}:{action}" for name, _, actions in split for action in actions.split(",")}
