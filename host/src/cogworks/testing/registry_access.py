"""Who may do what in a fake registry: users, tokens for scopes, and the challenge for everybody else."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Access:
    """Users and the tokens that were sold to them.

    Attributes:
        denied: scopes `repository:NAME:ACTION` that nobody gets.
        identity_tokens: what buys tokens instead of user and password.
        token_life_s: what `expires_in` says.
        tokens_sold: the scopes of each token, in order.
    """

    users: dict[str, str]
    kind: Literal["token", "basic"] = "token"
    anonymous_pull: bool = False
    denied: set[str] = field(default_factory=set[str])
    identity_tokens: set[str] = field(default_factory=set[str])
    token_life_s: int = 300
    tokens_sold: list[list[str]] = field(default_factory=list[list[str]])
    realm: str = ""
    _rights: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_open(self) -> bool:
        """Whether nobody has to log in."""
        return not self.users and not self.identity_tokens

    def knows(self, authorization: str) -> bool:
        """Return whether a basic `Authorization` names a user with the right password."""
        kind, _, pair = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(pair).decode().partition(":")
        except ValueError:
            return False
        return kind == "Basic" and self.users.get(user) == password

    def allows(self, authorization: str, wanted: set[str]) -> bool:
        """Return whether a request may do what it needs."""
        if self.is_open:
            return True
        if self.kind == "basic":
            return self.knows(authorization)
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and token in self._rights and wanted <= self._rights[token]

    def sell(self, scopes: list[str], *, is_user: bool) -> dict[str, object]:
        """Return a token for as many of the scopes as the caller may have."""
        asked = {
            f"{name}:{action}"
            for name, _, actions in (scope.rpartition(":") for scope in scopes)
            for action in actions.split(",")
        }
        rights = {one for one in asked - self.denied if is_user or one.endswith(":pull")}
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._rights[token] = rights
            self.tokens_sold.append(scopes)
        return {"token": token, "expires_in": self.token_life_s}

    def revoke_all(self) -> None:
        """Make every token that was sold worthless."""
        with self._lock:
            self._rights.clear()

    def challenge(self, host: str, wanted: set[str]) -> Mapping[str, str]:
        """Return the header of a 401."""
        if self.kind == "basic":
            return {"WWW-Authenticate": 'Basic realm="fake registry"'}
        realm = self.realm or f"http://{host}/token"
        scope = f',scope="{" ".join(sorted(wanted))}"' if wanted else ""
        return {"WWW-Authenticate": f'Bearer realm="{realm}",service="fake"{scope}'}
