from __future__ import annotations

import re
from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.errors import InvalidReferenceError
from cogworks.oci.reference import (
    Reference,
    Repository,
    parse_reference,
    parse_registry,
    parse_repository,
)

DIGEST = digest_of(b"")


@pytest.mark.parametrize(
    ("text", "registry", "name", "tag"),
    [
        ("python", "docker.io", "library/python", None),
        ("python:3.12-slim", "docker.io", "library/python", "3.12-slim"),
        ("me/model", "docker.io", "me/model", None),
        ("docker.io/python", "docker.io", "library/python", None),
        ("index.docker.io/me/model", "docker.io", "me/model", None),
        ("registry.example/model", "registry.example", "model", None),
        ("Registry.Example/model", "registry.example", "model", None),
        ("registry.example:443/a/b/c:v1", "registry.example:443", "a/b/c", "v1"),
        ("localhost/model", "localhost", "model", None),
        ("localhost:5000/model:v1", "localhost:5000", "model", "v1"),
        ("localhost:5000", "docker.io", "library/localhost", "5000"),
        ("127.0.0.1:5000/m", "127.0.0.1:5000", "m", None),
        ("[::1]:5000/m:t", "[::1]:5000", "m", "t"),
        ("MYHOST/m", "myhost", "m", None),
        ("a/b__c/d-e--f/g.h:_T.1", "docker.io", "a/b__c/d-e--f/g.h", "_T.1"),
    ],
)
def test_names_are_read_with_dockers_defaults(
    text: str, registry: str, name: str, tag: str | None
) -> None:
    assert parse_reference(text) == Reference(Repository(registry, name), tag)


def test_a_digest_pins_and_a_tag_may_stand_beside_it() -> None:
    reference = parse_reference(f"python:3.12@{DIGEST}")
    assert (reference.tag, reference.digest) == ("3.12", DIGEST)
    assert reference.identifier == str(DIGEST)
    assert parse_reference("python").with_digest(DIGEST).identifier == str(DIGEST)


def test_what_is_asked_for_without_tag_and_digest_is_latest() -> None:
    assert parse_reference("python").identifier == "latest"
    assert parse_reference("python:3").identifier == "3"


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/python:3", "python:3"),
        ("docker.io/me/model", "me/model"),
        ("docker.io/library/a/b", "library/a/b"),
        ("localhost:5000/m", "localhost:5000/m"),
    ],
)
def test_the_familiar_name_is_the_short_one_and_means_the_same(text: str, familiar: str) -> None:
    assert parse_reference(text).familiar == familiar
    assert parse_reference(familiar) == parse_reference(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("https://registry.example/m", "without a scheme"),
        ("a" * 64, "would be an image ID"),
        ("Model", "lower-case"),
        ("registry.example/Model", "lower-case"),
        ("a//b", "between slashes"),
        ("a/", "between slashes"),
        ("/a", "between slashes"),
        ("../a", "not a registry's host name"),
        ("a_-b", "between slashes"),
        ("-a", "between slashes"),
        ("a:", "a tag has"),
        ("a:-t", "a tag has"),
        ("a:" + "t" * 129, "a tag has"),
        ("a b", "between slashes"),
        ("a\n", "between slashes"),
        ("a@", "after @"),
        ("a@sha256:12", "after @"),
        ("a@md5:12", "after @"),
        ("host:99999/a", "99999 is not a port"),
        ("host:0/a", "0 is not a port"),
        ("host:x/a", "not a registry's host name"),
        ("-host.example/a", "not a registry's host name"),
        ("user:pw@host.example/a", "after @"),
        ("r.example/" + "a" * 250, "more than 255"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason_and_the_text(text: str, why: str) -> None:
    with pytest.raises(InvalidReferenceError, match=re.escape(why)) as caught:
        parse_reference(text)
    assert str(caught.value).startswith(repr(text)[:60])
    assert len(str(caught.value)) < 400


def test_a_repository_has_neither_tag_nor_digest() -> None:
    assert parse_repository("r.example/a") == Repository("r.example", "a")
    with pytest.raises(InvalidReferenceError, match="neither tag nor digest"):
        parse_repository("r.example/a:v1")


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("registry.example", "registry.example"),
        ("https://registry.example/", "registry.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("http://127.0.0.1:5000/v2/", "127.0.0.1:5000"),
        ("[::1]:5000", "[::1]:5000"),
        ("localhost", "localhost"),
    ],
)
def test_a_registry_is_known_by_one_name(text: str, registry: str) -> None:
    assert parse_registry(text) == registry


@pytest.mark.parametrize("text", ["", "a/b", "user@host", "host:70000", "a b", "http://"])
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        parse_registry(text)


word = st.text(ascii_lowercase + digits, min_size=1, max_size=8)
component = st.lists(word, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "_", "__", "-", "---"]).map(lambda mark: mark.join(words))
)
registry = st.one_of(
    st.just("localhost"),
    st.builds("{}.{}".format, word, word),
    st.builds("{}:{}".format, word, st.integers(1, 65535)),
)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
digest = st.binary(max_size=8).map(digest_of)


@given(
    registry,
    st.lists(component, min_size=1, max_size=4).map("/".join),
    st.none() | tag,
    st.none() | digest,
)
def test_every_name_of_the_grammar_reads_back_as_it_was_written(
    registry: str, name: str, tag: str | None, digest: Digest | None
) -> None:
    reference = Reference(Repository(registry, name), tag, digest)
    assert parse_reference(str(reference)) == reference


@given(st.text(max_size=40) | st.text("a.:/@-_A[]0", max_size=40))
def test_any_text_is_a_name_that_is_stable_or_is_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReferenceError:
        return
    assert parse_reference(str(reference)) == reference
    assert parse_reference(reference.familiar) == reference
