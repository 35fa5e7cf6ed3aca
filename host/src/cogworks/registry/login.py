"""Logging in: credentials are tried first, and stored only if the registry takes them."""

from __future__ import annotations

from dataclasses import dataclass

from cogworks.registry.auth import Credential
from cogworks.registry.client import Client
from cogworks.registry.credentials import CredentialStore
from cogworks.registry.errors import DeniedError, LoginRefusedError, UnauthorizedError


@dataclass(frozen=True)
class LoggedIn:
    """What came of it.

    Attributes:
        stored_in: a file or a helper, for people.
        was_asked: whether the registry wanted credentials at all; if not, they are stored untried.
    """

    stored_in: str
    was_asked: bool


@dataclass(frozen=True)
class _One:
    """A source of one credential."""

    credential: Credential

    def find(self, registry: str) -> Credential | None:
        """Return it."""
        return self.credential


def log_in(
    registry: str, credential: Credential, store: CredentialStore, *, is_insecure: bool = False
) -> LoggedIn:
    """Try a credential and store it.

    Raises:
        LoginRefusedError: the registry does not take it; nothing is stored.
        RegistryError: it could not be tried or stored.
    """
    insecure = (registry,) if is_insecure else ()
    with Client(_One(credential), insecure_registries=insecure) as client:
        try:
            was_asked = client.check_access(registry)
        except (UnauthorizedError, DeniedError) as error:
            raise LoginRefusedError(registry, error.said) from error
    return LoggedIn(store.save(registry, credential), was_asked)
