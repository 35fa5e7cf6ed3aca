"""Credential helpers: programs `docker-credential-NAME` that are given a server's name, or a credential, on stdin.

Source: the docker-credential-helpers project's protocol: `get` and `store`, JSON with `ServerURL`, `Username`, `Secret`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from cogworks.oci.errors import quoted
from cogworks.registry.auth import Credential
from cogworks.registry.errors import CredentialsError

TIMEOUT_S = 60.0
"""A helper may ask its user to unlock something."""
TOKEN_USER = "<token>"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = ("credentials not found", "no credentials server url", "no credentials username")


@dataclass(frozen=True)
class CredentialHelper:
    """One helper."""

    name: str
    environ: Mapping[str, str] = field(repr=False)

    @property
    def program(self) -> str:
        """What is run."""
        return f"docker-credential-{self.name}"

    def find(self, server: str) -> Credential | None:
        """Return what the helper has for a server.

        Raises:
            CredentialsError: it is not installed, or failed.
        """
        done = self._run("get", server)
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode != 0:
            if any(text in said.lower() for text in _NOT_FOUND):
                return None
            raise self._failed("get", said)
        return self._parse(done.stdout)

    def store(self, server: str, credential: Credential) -> None:
        """Give the helper a credential to keep.

        Raises:
            CredentialsError: it is not installed, or failed.
        """
        text = json.dumps(
            {
                "ServerURL": server,
                "Username": credential.username,
                "Secret": credential.password,
            }
        )
        done = self._run("store", text)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise self._failed("store", said.replace(credential.password, "***"))

    def _run(self, action: str, text: str) -> subprocess.CompletedProcess[bytes]:
        # The name comes from a file; it must not lead to a program elsewhere.
        if not _NAME.fullmatch(self.name):
            raise CredentialsError(f"{quoted(self.name)} is not a credential helper's name.")
        path = shutil.which(self.program, path=self.environ.get("PATH"))
        if path is None:
            raise CredentialsError(
                f"the credential helper {self.program} is not on PATH. "
                "Install it, or remove it from docker's config.json."
            )
        try:
            return subprocess.run(
                [path, action],
                input=text.encode(),
                env=dict(self.environ),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failed(action, str(error)) from error

    def _parse(self, data: bytes) -> Credential | None:
        try:
            value: object = json.loads(data)
        except ValueError as error:
            raise self._failed("get", "its answer is not JSON") from error
        fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        user, secret = fields.get("Username"), fields.get("Secret")
        if not isinstance(user, str) or not isinstance(secret, str) or not secret:
            return None
        is_token = user == TOKEN_USER
        return Credential(identity_token=secret) if is_token else Credential(user, secret)

    def _failed(self, action: str, said: str) -> CredentialsError:
        return CredentialsError(
            f"the credential helper {self.program} failed at {action}: {' '.join(said.split())[:300]}"
        )
