"""Credentials where docker and podman keep them: found, stored, and never printed.

Read, the first that knows the registry wins: `REGISTRY_AUTH_FILE`; docker's `config.json` (`DOCKER_CONFIG`, else
`~/.docker`); podman's `containers/auth.json` (`XDG_RUNTIME_DIR`, then `XDG_CONFIG_HOME` or `~/.config`). In a file, a
helper in `credHelpers` for the registry comes first, then `credsStore`, then `auths`.

Written to `REGISTRY_AUTH_FILE` if that is set, else to docker's file, which podman reads as well; into the helper if
the file names one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cogworks.oci.reference import parse_registry
from cogworks.registry.auth import Credential
from cogworks.registry.auth_file import AuthFile, read_auth_file
from cogworks.registry.credential_helper import CredentialHelper


@dataclass(frozen=True)
class CredentialStore:
    """Credentials of this user.

    Attributes:
        paths: files to look into, in this order.
        path_to_write: where new ones go.
        environ: what helpers are run with.
    """

    paths: Sequence[Path]
    path_to_write: Path
    environ: Mapping[str, str]

    def find(self, registry: str) -> Credential | None:
        """Return what is stored for a registry; None if nothing is.

        Raises:
            CredentialsError: a file or a helper that should know cannot be used.
        """
        for path in self.paths:
            found = self._find_in(read_auth_file(path), parse_registry(registry))
            if found is not None:
                return found
        return None

    def save(self, registry: str, credential: Credential) -> str:
        """Store a credential and return where, for people.

        Raises:
            CredentialsError: the file or the helper does not take it; what was there is unchanged.
        """
        registry = parse_registry(registry)
        file = read_auth_file(self.path_to_write)
        helper_name = file.helper_of(registry)
        if helper_name is None:
            file.with_credential(registry, credential).write()
            return str(self.path_to_write)
        helper = CredentialHelper(helper_name, self.environ)
        helper.store(file.key_of(registry), credential)
        file.with_empty_entry(registry).write()
        return f"the credential helper {helper.program}"

    def _find_in(self, file: AuthFile, registry: str) -> Credential | None:
        helper_name = file.helper_of(registry)
        if helper_name is not None:
            helper = CredentialHelper(helper_name, self.environ)
            for key in file.keys_of(registry):
                found = helper.find(key)
                if found is not None:
                    return found
        return file.find(registry)


def credential_store(environ: Mapping[str, str], home: Path) -> CredentialStore:
    """Return the store of the user whose variables and home these are."""
    docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    podman = [config_home / "containers" / "auth.json"]
    if environ.get("XDG_RUNTIME_DIR"):
        podman.insert(0, Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json")
    named = environ.get("REGISTRY_AUTH_FILE")
    first = [Path(named)] if named else []
    return CredentialStore((*first, docker, *podman), first[0] if first else docker, environ)
