"""Image references: `python`, `me/model:v1`, `localhost:5000/m`, `r.example/a/b@sha256:...`.

The grammar is that of the distribution project, with Docker's defaults: no registry means docker.io, and a single
name there lies in `library/`. The first component is a registry if it has a dot, a colon or an upper-case letter, or is
`localhost`. A tag is never invented while parsing; ``Reference.identifier`` says `latest` where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cogworks.oci.digest import Digest, parse_digest
from cogworks.oci.errors import DigestError, InvalidReferenceError

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
_OTHER_NAMES = {"index.docker.io": DEFAULT_REGISTRY, "registry-1.docker.io": DEFAULT_REGISTRY}
NAME_MAX_CHARS = 255
"""Of registry and repository together; source: the distribution project's `NameTotalLengthMax`."""

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """Where images of one name are: ``registry`` is `host` or `host:port`, ``name`` the path below it."""

    registry: str
    name: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"


@dataclass(frozen=True, slots=True)
class Reference:
    """One image: a repository, and a tag, a digest, both or neither."""

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"

    @property
    def registry(self) -> str:
        """The registry's `host` or `host:port`."""
        return self.repository.registry

    @property
    def identifier(self) -> str:
        """What a registry is asked for: the digest, else the tag, else `latest`."""
        return str(self.digest) if self.digest else self.tag or DEFAULT_TAG

    @property
    def familiar(self) -> str:
        """The shortest text that means the same, as Docker shows it."""
        text = str(self)
        if self.registry == DEFAULT_REGISTRY:
            text = text.removeprefix(f"{DEFAULT_REGISTRY}/")
            rest = text.removeprefix("library/")
            text = text if "/" in rest else rest
        return text

    def with_digest(self, digest: Digest) -> Reference:
        """Return the same reference, pinned."""
        return replace(self, digest=digest)


def parse_reference(text: str) -> Reference:
    """Return the reference that a text spells.

    Raises:
        InvalidReferenceError: it spells none; the message quotes it and says why.
    """
    if not text:
        raise InvalidReferenceError(text, "it is empty")
    if "://" in text:
        raise InvalidReferenceError(text, "write it without a scheme such as https://")
    if _IMAGE_ID.fullmatch(text):
        raise InvalidReferenceError(text, "64 hexadecimal digits alone would be an image ID")
    rest, at, digest_text = text.partition("@")
    digest = _parse_digest(text, digest_text) if at else None
    name, tag = _split_tag(text, rest)
    return Reference(_parse_repository(text, name), tag, digest)


def parse_repository(text: str) -> Repository:
    """Return the repository that a text spells; a tag or a digest is refused."""
    reference = parse_reference(text)
    if reference.tag or reference.digest:
        raise InvalidReferenceError(text, "a repository has neither tag nor digest")
    return reference.repository


def parse_registry(text: str) -> str:
    """Return the registry that a text spells, by the name under which it is known: `docker.io`, `host:port`."""
    bare = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    bare = bare.removesuffix("/v1").removesuffix("/v2")
    if not _REGISTRY.fullmatch(bare):
        raise InvalidReferenceError(text, "a host name is, with a port if need be", "a registry")
    _check_port(text, bare)
    return _OTHER_NAMES.get(bare.lower(), bare.lower())


def _parse_digest(text: str, digest: str) -> Digest:
    try:
        return parse_digest(digest)
    except DigestError as error:
        raise InvalidReferenceError(text, f"after @, {str(error).rstrip('.')}") from error


def _split_tag(text: str, rest: str) -> tuple[str, str | None]:
    """Split off a tag: what comes after a colon behind the last slash."""
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if not colon:
        return rest, None
    if not _TAG.fullmatch(tag):
        raise InvalidReferenceError(
            text, "a tag has 1 to 128 letters, digits, _, . and -, and starts with none of . and -"
        )
    return f"{head}{slash}{last}", tag


def _parse_repository(text: str, name: str) -> Repository:
    first, slash, path = name.partition("/")
    if not slash or not _is_registry(first):
        registry, path = DEFAULT_REGISTRY, name
    else:
        registry = _checked_registry(text, first)
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = f"library/{path}"
    _check_path(text, path)
    if len(registry) + 1 + len(path) > NAME_MAX_CHARS:
        raise InvalidReferenceError(text, f"it has more than {NAME_MAX_CHARS} characters")
    return Repository(registry, path)


def _is_registry(first: str) -> bool:
    return any(mark in first for mark in ".:") or first == "localhost" or first != first.lower()


def _checked_registry(text: str, first: str) -> str:
    if not _REGISTRY.fullmatch(first):
        raise InvalidReferenceError(text, f"{first!r} is not a registry's host name")
    _check_port(text, first)
    return _OTHER_NAMES.get(first.lower(), first.lower())


def _check_port(text: str, registry: str) -> None:
    host, colon, port = registry.rpartition(":")
    if colon and not host.endswith(":") and port.isdigit() and not 0 < int(port) < 65536:
        raise InvalidReferenceError(text, f"{port} is not a port")


def _check_path(text: str, path: str) -> None:
    for component in path.split("/"):
        if _COMPONENT.fullmatch(component):
            continue
        if _COMPONENT.fullmatch(component.lower()):
            raise InvalidReferenceError(text, "a repository's name is lower-case")
        raise InvalidReferenceError(
            text,
            "between slashes there are lower-case letters and digits, joined by ., _, __ or dashes",
        )
