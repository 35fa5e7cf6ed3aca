"""The certificate authorities that commands trust while an image is built, where this machine has its own.

`COG_CA_CERT` adds one, for networks whose proxy reads along; `SSL_CERT_FILE` replaces all of them, as everywhere. They are
there for the time of the build and are not put into the image: whom a build trusts is no part of a model.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from cogworks.build.errors import StageError

VARIABLE, REPLACEMENT = "COG_CA_CERT", "SSL_CERT_FILE"
FILE = ".cogworks-ca.pem"
"""Where commands find them, at the root; engines copy the file there, and no layer keeps it."""
NAMES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
    *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)
"""Variables by which OpenSSL, requests, curl, pip, git and node are told."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
"""Where Debian, Fedora, and Alpine and macOS have the usual ones."""


def find_authorities(environment: Mapping[str, str]) -> str | None:
    """Return the certificates to trust, in PEM; None where nothing was said about them.

    Raises:
        StageError: what was said is none.
    """
    given = environment.get(VARIABLE)
    if given:
        return "\n".join([_read(given), *_usual()])
    path = environment.get(REPLACEMENT)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(f"{REPLACEMENT}: {path} cannot be read: {error}") from error


def _read(value: str) -> str:
    if _BEGIN in value:
        return _checked(value)
    files = _files(Path(value).expanduser())
    if files:
        return _checked("\n".join(_text(one) for one in files))
    try:
        return _checked(base64.b64decode(value, validate=True).decode("utf-8"))
    except ValueError as error:
        raise _invalid() from error


def _files(path: Path) -> list[Path]:
    """Return the files that a path stands for; none if the value is no path at all."""
    # Too long for a path, for instance.
    with suppress(OSError):
        if path.is_file():
            return [path]
        if path.is_dir():
            found = sorted((*path.glob("*.crt"), *path.glob("*.pem")))
            if not found:
                raise StageError(f"{VARIABLE}: {path} has no *.crt and no *.pem.")
            return found
    return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StageError(f"{VARIABLE}: {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _invalid() from error


def _checked(text: str) -> str:
    if _BEGIN not in text or _END not in text:
        raise _invalid()
    return text


def _invalid() -> StageError:
    return StageError(
        f"{VARIABLE}: invalid value - must be a file path, directory, PEM certificate, or base64-encoded PEM"
    )


def _usual() -> Iterator[str]:
    """Yield the certificates that this machine trusts anyway."""
    default = ssl.get_default_verify_paths().cafile
    for name in (*([default] if default else []), *_BUNDLES):
        path = Path(name)
        if path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace")
            return
