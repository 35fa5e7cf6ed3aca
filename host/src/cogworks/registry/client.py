"""The client: manifests, blobs and tags of any number of registries over one pool of connections.

Source of every request: OCI distribution-spec v1.1. What is read is checked against its digest before it is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin

from cogworks.oci.digest import Digest, digest_of, parse_digest
from cogworks.oci.documents import parse_object
from cogworks.oci.errors import DigestError, DocumentError
from cogworks.oci.manifest import (
    ACCEPTED_TYPES,
    MANIFEST_MAX_BYTES,
    OCI_INDEX,
    Descriptor,
    Document,
    Index,
    parse_document,
)
from cogworks.oci.reference import Reference, Repository, parse_registry
from cogworks.registry.addresses import Addresses, is_same_origin
from cogworks.registry.auth import pull_scope, push_scope
from cogworks.registry.download import BlobReader
from cogworks.registry.errors import MismatchError, NotFoundError, ProtocolError
from cogworks.registry.patience import Patience
from cogworks.registry.transport import Answer, Call, CredentialSource, NoCredentials, Transport

TAGS_MAX = 100_000
"""More tags than this are not listed."""


@dataclass(frozen=True)
class FetchedManifest:
    """A manifest or index as a registry sent it; its digest is that of ``data``."""

    reference: Reference
    media_type: str
    digest: Digest
    data: bytes

    @property
    def document(self) -> Document:
        """The document, read."""
        return parse_document(self.data, self.media_type, name=str(self.reference))

    @property
    def descriptor(self) -> Descriptor:
        """How an index or a subject refers to it."""
        return Descriptor(self.media_type, self.digest, len(self.data))


class Client:
    """Reads and writes manifests and blobs; may be used by several threads at once."""

    def __init__(
        self,
        credentials: CredentialSource | None = None,
        *,
        insecure_registries: Iterable[str] = (),
        patience: Patience | None = None,
        addresses: Addresses | None = None,
    ) -> None:
        """Make a client; close it, or use it in a `with`.

        Args:
            insecure_registries: `host` or `host:port` that may be talked to without encryption and may be private.
        """
        insecure = frozenset(insecure_registries)
        self.transport = Transport(
            credentials or NoCredentials(), addresses or Addresses(insecure), patience or Patience()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def cut(self) -> None:
        """End all connections for good, whoever waits for an answer; may be called while a signal is handled."""
        self.transport.cut()

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    def check_access(self, registry: str) -> bool:
        """Ask a registry whether it is one and whether the credentials are good.

        Returns:
            Whether it asked for credentials at all.

        Raises:
            UnauthorizedError: it did, and they are not.
        """
        registry = parse_registry(registry)
        url = f"{self.transport.addresses.base_url(registry)}/v2/"
        self.transport.request(Call("GET", registry, url))
        return self.transport.is_authorized(registry)

    def find_manifest(self, reference: Reference) -> Descriptor | None:
        """Return what a reference names, without fetching it; None if there is nothing."""
        try:
            answer = self.transport.request(self._manifest_call("HEAD", reference))
        except NotFoundError:
            return None
        digest = _digest_header(answer)
        size = answer.headers.get("content-length", "")
        if digest is None or not size.isdigit():
            # The spec leaves both headers open; the whole manifest tells them.
            return self.get_manifest(reference).descriptor
        return Descriptor(_media_type(answer), digest, int(size))

    def get_manifest(self, reference: Reference) -> FetchedManifest:
        """Return the manifest or index that a reference names.

        Raises:
            MismatchError: it is not the one of the digest.
        """
        answer = self.transport.request(self._manifest_call("GET", reference))
        if len(answer.body) > MANIFEST_MAX_BYTES:
            raise ProtocolError(
                f"{reference}: the manifest has more than {MANIFEST_MAX_BYTES} bytes."
            )
        digest = digest_of(answer.body)
        wanted = reference.digest or _digest_header(answer)
        if wanted is not None and wanted != digest:
            raise MismatchError(str(reference), wanted, digest)
        return FetchedManifest(reference, _media_type(answer), digest, answer.body)

    def put_manifest(self, reference: Reference, data: bytes, media_type: str) -> Digest:
        """Store a manifest or index under its tag or digest and return its digest."""
        return self._put_manifest(reference, data, media_type)[0]

    def put_referrer(self, reference: Reference, data: bytes, media_type: str) -> bool:
        """Store a manifest that has a subject; return whether the registry lists it as a referrer of that.

        Source: OCI distribution-spec v1.1, "Pushing Manifests with Subject".
        """
        _, answer = self._put_manifest(reference, data, media_type)
        return "oci-subject" in answer.headers

    def find_referrers(
        self, repository: Repository, subject: Digest, artifact_type: str = ""
    ) -> Index | None:
        """Return what a registry lists as referring to a manifest; None if it keeps no such lists.

        Args:
            artifact_type: only artifacts of this kind; the registry may return others all the same.

        Source: OCI distribution-spec v1.1, "Listing Referrers".
        """
        query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
        url = self.url(repository, f"referrers/{subject}{query}")
        scopes = frozenset({pull_scope(repository)})
        call = Call("GET", repository.registry, url, scopes, {"Accept": OCI_INDEX})
        try:
            answer = self.transport.request(call)
        except NotFoundError:
            return None
        # Registries that know nothing of referrers may answer with whatever they have for such a path.
        if _media_type(answer) != OCI_INDEX:
            return None
        document = parse_document(answer.body, OCI_INDEX, name=f"the referrers of {subject}")
        return document if isinstance(document, Index) else None

    def _put_manifest(
        self, reference: Reference, data: bytes, media_type: str
    ) -> tuple[Digest, Answer]:
        digest = digest_of(data)
        if reference.digest is not None and reference.digest != digest:
            raise MismatchError(str(reference), reference.digest, digest)
        call = Call(
            "PUT",
            reference.registry,
            self.url(reference.repository, f"manifests/{_target(reference)}"),
            frozenset({push_scope(reference.repository)}),
            {"Content-Type": media_type},
            body=lambda: (data,),
            body_size=len(data),
        )
        answer = self.transport.request(call, expect=(201, 202, 200))
        stored = _digest_header(answer)
        if stored is not None and stored != digest:
            raise MismatchError(str(reference), digest, stored)
        return digest, answer

    def has_blob(self, repository: Repository, digest: Digest, *, to_push: bool = False) -> bool:
        """Return whether a repository has a blob.

        Args:
            to_push: ask with the right to push, so that the upload after it needs no other token.
        """
        scope = push_scope(repository) if to_push else pull_scope(repository)
        url = self.url(repository, f"blobs/{digest}")
        try:
            self.transport.request(Call("HEAD", repository.registry, url, frozenset({scope})))
        except NotFoundError:
            return False
        return True

    def open_blob(
        self, repository: Repository, blob: Descriptor, offset: int = 0
    ) -> Iterator[bytes]:
        """Yield a blob from an offset on; a broken connection is taken up where it broke.

        Raises:
            MismatchError: at the end, if what came is not the blob (checked where it is read from its start).
        """
        return BlobReader(self.transport, repository, blob, self.blob_url(repository, blob)).read(
            offset
        )

    def read_blob(self, repository: Repository, blob: Descriptor, max_bytes: int) -> bytes:
        """Return a small blob; more than ``max_bytes`` is refused unread."""
        if blob.size_bytes > max_bytes:
            raise ProtocolError(
                f"{repository}: the blob {blob.digest} has {blob.size_bytes} bytes, more than {max_bytes}."
            )
        return b"".join(self.open_blob(repository, blob))

    def list_tags(self, repository: Repository) -> list[str]:
        """Return all tags of a repository, page by page; none if there is no such repository."""
        tags: list[str] = []
        url: str | None = self.url(repository, "tags/list?n=1000")
        scopes = frozenset({pull_scope(repository)})
        while url is not None and len(tags) < TAGS_MAX:
            try:
                answer = self.transport.request(Call("GET", repository.registry, url, scopes))
            except NotFoundError:
                return tags
            page = _tags(repository, answer.body)
            tags += page
            url = self._next_page(repository, answer) if page else None
        return tags

    def url(self, repository: Repository, rest: str) -> str:
        """Return the address of something in a repository."""
        return (
            f"{self.transport.addresses.base_url(repository.registry)}/v2/{repository.name}/{rest}"
        )

    def blob_url(self, repository: Repository, blob: Descriptor) -> str:
        """Return the address of a blob."""
        return self.url(repository, f"blobs/{blob.digest}")

    def _manifest_call(self, method: str, reference: Reference) -> Call:
        return Call(
            method,
            reference.registry,
            self.url(reference.repository, f"manifests/{reference.identifier}"),
            frozenset({pull_scope(reference.repository)}),
            {"Accept": ", ".join(ACCEPTED_TYPES)},
        )

    def _next_page(self, repository: Repository, answer: Answer) -> str | None:
        """Return the address in `Link: <...>; rel="next"`, if it is the registry's own."""
        link = answer.headers.get("link", "")
        target, bracket, rest = link.partition("<")[2].partition(">")
        if not bracket or "next" not in rest:
            return None
        url = urljoin(answer.url, target)
        base = self.transport.addresses.base_url(repository.registry)
        return url if is_same_origin(url, base) and url != answer.url else None


def _target(reference: Reference) -> str:
    """Return under which name to store: the tag if there is one, since the digest follows from the content."""
    return reference.tag or reference.identifier


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip()


def _digest_header(answer: Answer) -> Digest | None:
    """Return what the registry says; a digest of another algorithm says nothing to us."""
    try:
        return parse_digest(answer.headers.get("docker-content-digest", ""))
    except DigestError:
        return None


def _tags(repository: Repository, body: bytes) -> list[str]:
    try:
        tags = parse_object(f"the list of tags of {repository}", body).get("tags")
    except DocumentError as error:
        raise ProtocolError(str(error)) from error
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
