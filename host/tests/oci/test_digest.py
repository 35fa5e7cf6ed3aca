from __future__ import annotations

import pytest

from cogworks.oci.digest import Digest, digest_of, parse_digest
from cogworks.oci.errors import DigestError

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_digest_of_bytes_is_written_and_read() -> None:
    assert str(digest_of(b"")) == EMPTY
    assert parse_digest(EMPTY) == digest_of(b"")
    assert digest_of(b"").short == "e3b0c44298fc"


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", "sha256:abc", EMPTY + "0", EMPTY.upper(), EMPTY + "\n", EMPTY[7:]],
)
def test_what_is_no_digest_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(DigestError, match="digest"):
        parse_digest(text)


def test_other_algorithms_are_named_as_unsupported() -> None:
    with pytest.raises(DigestError, match="'sha512:00' is not a sha256 digest; no other kind"):
        parse_digest("sha512:00")


def test_a_digest_cannot_be_made_of_anything_else() -> None:
    with pytest.raises(DigestError):
        Digest("../../etc/passwd")
