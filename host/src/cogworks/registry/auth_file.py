"""A `config.json` of docker or an `auth.json` of podman: read, changed, and written whole with mode 0600.

What we do not know in it stays as it is. Example: `{"auths": {"r.example": {"auth": "bWU6c2VjcmV0"}},
"credHelpers": {"other.example": "ecr-login"}, "credsStore": "desktop"}`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cogworks.oci.errors import InvalidReferenceError
from cogworks.oci.reference import DEFAULT_REGISTRY, parse_registry
from cogworks.registry.auth import Credential
from cogworks.registry.errors import CredentialsError

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""What docker calls its own registry in these files."""
FILE_MAX_BYTES = 4 * 1024 * 1024
FILE_MODE = 0o600


@dataclass(frozen=True)
class AuthFile:
    """The content of one file; ``value`` is its JSON."""

    path: Path
    value: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)

    def find(self, registry: str) -> Credential | None:
        """Return the credential that is in the file itself."""
        auths = self._objects("auths")
        for key in self.keys_of(registry):
            entry = auths.get(key)
            is_entry = isinstance(entry, dict)
            found = self._credential(key, cast("dict[str, object]", entry)) if is_entry else None
            if found is not None:
                return found
        return None

    def helper_of(self, registry: str) -> str | None:
        """Return the name of the helper that keeps a registry's credentials."""
        helpers = self._objects("credHelpers")
        named = [helpers[key] for key in self.keys_of(registry) if key in helpers]
        found = [*named, self.value.get("credsStore")]
        return next((name for name in found if isinstance(name, str) and name), None)

    def keys_of(self, registry: str) -> Sequence[str]:
        """Return under which names a registry may be in the file: docker's own first, then any spelling there is."""
        there = [*self._objects("auths"), *self._objects("credHelpers")]
        same = [key for key in there if _registry_of(key) == registry]
        return tuple(dict.fromkeys([self.key_of(registry), *same]))

    def key_of(self, registry: str) -> str:
        """Return the name under which docker looks for a registry."""
        return DOCKER_HUB_KEY if registry == DEFAULT_REGISTRY else registry

    def with_credential(self, registry: str, credential: Credential) -> AuthFile:
        """Return the file with a credential in it."""
        pair = f"{credential.username}:{credential.password}".encode()
        return self._with_entry(registry, {"auth": base64.b64encode(pair).decode()})

    def with_empty_entry(self, registry: str) -> AuthFile:
        """Return the file with the note that a helper knows the registry, as docker writes it."""
        return self._with_entry(registry, {})

    def write(self) -> None:
        """Replace the file on disk in one step.

        Raises:
            CredentialsError: it cannot be written; the old one is unchanged.
        """
        # Where the file is a link into somebody's dotfiles, it stays one.
        path = Path(os.path.realpath(self.path))
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        text = json.dumps(self.value, indent="\t", ensure_ascii=False) + "\n"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
            with os.fdopen(os.open(unfinished, flags, FILE_MODE), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise CredentialsError(
                f"{self.path} cannot be written: {error.strerror}. "
                "DOCKER_CONFIG names another folder for it."
            ) from error

    def _with_entry(self, registry: str, entry: Mapping[str, object]) -> AuthFile:
        others = {
            key: value
            for key, value in self._objects("auths").items()
            if _registry_of(key) != registry or "/" in _bare(key)
        }
        auths = {**others, self.key_of(registry): entry}
        return AuthFile(self.path, {**self.value, "auths": auths})

    def _credential(self, key: str, entry: Mapping[str, object]) -> Credential | None:
        token = entry.get("identitytoken")
        if isinstance(token, str) and token:
            return Credential(identity_token=token)
        pair = entry.get("auth")
        if isinstance(pair, str) and pair:
            return self._decoded(key, pair)
        user, password = entry.get("username"), entry.get("password")
        if isinstance(user, str) and isinstance(password, str) and password:
            return Credential(user, password)
        return None

    def _decoded(self, key: str, pair: str) -> Credential:
        try:
            text = base64.b64decode(pair, validate=True).decode()
        except ValueError as error:
            raise CredentialsError(
                f"{self.path}: the entry of {key} cannot be read. Run `cog login {_bare(key)}`."
            ) from error
        user, _, password = text.partition(":")
        # Docker pads old entries with zeros.
        password = password.strip("\0")
        # `<token>` for a user means an identity token, in files as in helpers.
        return (
            Credential(identity_token=password) if user == "<token>" else Credential(user, password)
        )

    def _objects(self, name: str) -> dict[str, object]:
        found = self.value.get(name)
        return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def read_auth_file(path: Path) -> AuthFile:
    """Return the content of a file; one that is not there is empty.

    Raises:
        CredentialsError: there is something else than JSON.
    """
    try:
        data = path.read_bytes()[:FILE_MAX_BYTES]
    except (FileNotFoundError, NotADirectoryError):
        return AuthFile(path)
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        value: object = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise CredentialsError(f"{path} is not JSON ({error}). Repair or remove it.") from error
    if not isinstance(value, dict):
        raise CredentialsError(f"{path} is not a JSON object. Repair or remove it.")
    return AuthFile(path, cast("dict[str, object]", value))


def _bare(key: str) -> str:
    """Return `host` or `host/path` of a key, which may be a URL of an old version of the API."""
    bare = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    return bare.removesuffix("/v1").removesuffix("/v2")


def _registry_of(key: str) -> str:
    """Return the registry of a key; podman's keys may name a namespace in it, which counts for the whole registry."""
    try:
        return parse_registry(_bare(key).partition("/")[0])
    except InvalidReferenceError:
        return ""
