"""The dance as a conversation without I/O, and the same with a registry that wants to be logged in to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from cogworks.oci.reference import Reference, Repository
from cogworks.registry.auth import (
    Authorization,
    Challenge,
    Credential,
    Dance,
    TokenAnswer,
    TokenRequest,
    authorize,
    covers,
    parse_challenges,
)
from cogworks.registry.blobs import BytesBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import (
    CredentialsError,
    ProtocolError,
    UnauthorizedError,
)
from cogworks.registry.patience import Patience
from cogworks.registry.push import push_image
from cogworks.registry.upload import Outcome, upload_blob
from cogworks.testing.registry import FakeRegistry

from .images import make_image

ME = Credential("me", "pa:ss-word")
PULL = frozenset({"repository:m:pull"})
BEARER = Challenge("bearer", {"realm": "https://auth.example/token", "service": "r.example"})


class Known:
    def __init__(self, credential: Credential | None) -> None:
        self.credential = credential
        self.asked: list[str] = []

    def find(self, registry: str) -> Credential | None:
        self.asked.append(registry)
        return self.credential


class Broken:
    def find(self, registry: str) -> Credential | None:
        raise CredentialsError("the credential helper docker-credential-x is not on PATH.")


@pytest.fixture
def private() -> Iterator[FakeRegistry]:
    with FakeRegistry({"me": ME.password}) as registry:
        yield registry


@pytest.fixture
def known(patience: Patience) -> Iterator[Client]:
    with Client(Known(ME), patience=patience) as client:
        yield client


def result_of(dance: Dance, answer: TokenAnswer) -> Authorization | None:
    next(dance)
    with pytest.raises(StopIteration) as end:
        dance.send(answer)
    value: Authorization | None = end.value.value
    return value


def test_a_token_is_bought_with_user_and_password() -> None:
    dance = authorize("r.example", [BEARER], PULL | {"repository:n:pull"}, ME)
    assert next(dance) == TokenRequest(
        "https://auth.example/token",
        query=(
            ("service", "r.example"),
            ("scope", "repository:m:pull"),
            ("scope", "repository:n:pull"),
        ),
        authorization="Basic bWU6cGE6c3Mtd29yZA==",
    )


def test_a_token_is_bought_without_a_name_where_nobody_is_known() -> None:
    assert next(authorize("r.example", [BEARER], PULL, None)).authorization == ""


def test_an_identity_token_buys_a_token_by_post() -> None:
    wanted = next(authorize("r.example", [BEARER], PULL, Credential(identity_token="id")))
    assert dict(wanted.form) == {
        "grant_type": "refresh_token",
        "service": "r.example",
        "client_id": "cogworks",
        "scope": "repository:m:pull",
        "refresh_token": "id",
    }


def test_both_names_of_the_token_are_read_and_its_life() -> None:
    for body, life_s in (
        ({"token": "t", "expires_in": 300}, 300),
        ({"access_token": "t"}, 60),
        ({"token": "t", "expires_in": 0}, 60),
    ):
        dance = authorize("r.example", [BEARER], PULL, None)
        found = result_of(dance, TokenAnswer(200, json.dumps(body).encode()))
        assert found == Authorization("Bearer t", life_s)


@pytest.mark.parametrize("body", [b"{}", b"no", b"[]", b'{"token": 1}', b'{"token": "a\\r\\nb"}'])
def test_an_answer_without_a_token_is_an_error(body: bytes) -> None:
    dance = authorize("r.example", [BEARER], PULL, None)
    next(dance)
    with pytest.raises(ProtocolError, match="without a token"):
        dance.send(TokenAnswer(200, body))


def test_refused_credentials_name_the_registry_to_log_in_to() -> None:
    dance = authorize("r.example", [BEARER], PULL, ME)
    next(dance)
    with pytest.raises(UnauthorizedError, match=r"Run `cog login r\.example`"):
        dance.send(TokenAnswer(401, b""))


def test_basic_is_used_where_nothing_else_is_offered() -> None:
    basic = Challenge("basic", {})
    with pytest.raises(StopIteration) as end:
        next(authorize("r.example", [basic], PULL, ME))
    assert end.value.value == Authorization(ME.basic)
    with pytest.raises(StopIteration) as end:
        next(authorize("r.example", [basic], PULL, None))
    assert end.value.value is None


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ('Basic realm="a b"', [Challenge("basic", {"realm": "a b"})]),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"',
            [
                Challenge(
                    "bearer",
                    {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"},
                )
            ],
        ),
        (
            'Basic realm="x", BEARER Realm=y , service="q\\"q"',
            [
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "y", "service": 'q"q'}),
            ],
        ),
        ("Negotiate", [Challenge("negotiate", {})]),
        ("", []),
        ('="', []),
    ],
)
def test_challenges_are_read(header: str, challenges: list[Challenge]) -> None:
    assert parse_challenges([header]) == challenges


def test_a_token_serves_for_less_than_it_is_for() -> None:
    held = frozenset({"repository:a:pull,push", "repository:b:pull"})
    assert covers(held, frozenset({"repository:a:pull"}))
    assert covers(held, frozenset())
    assert not covers(held, frozenset({"repository:b:pull,push"}))


def test_secrets_are_in_no_repr() -> None:
    shown = repr(
        [
            ME,
            Credential(identity_token="pa:ss-word"),
            Authorization("pa:ss-word"),
            TokenRequest("u", form=(("a", "pa:ss-word"),), authorization="pa:ss-word"),
            TokenAnswer(200, b"pa:ss-word"),
        ]
    )
    assert "pa:ss" not in shown


def test_one_token_serves_a_whole_push(known: Client, private: FakeRegistry) -> None:
    reference = Reference(Repository(private.host, "me/model"), "v1")
    push_image(known, reference, make_image(b"one", b"two"))
    assert private.access.tokens_sold == [["repository:me/model:pull,push"]]
    assert private.state.tags["me/model"].keys() == {"v1"}


def test_a_mount_asks_for_the_right_to_pull_from_the_source(
    known: Client, private: FakeRegistry
) -> None:
    private.state.add_blob("base", b"data")
    target, source = Repository(private.host, "me/model"), Repository(private.host, "base")
    assert upload_blob(known, target, BytesBlob(b"data"), [source]) is Outcome.MOUNTED
    assert private.access.tokens_sold[-1] == [
        "repository:base:pull",
        "repository:me/model:pull,push",
    ]


def test_a_source_that_may_not_be_read_is_not_mounted_but_the_blob_arrives(
    known: Client, private: FakeRegistry
) -> None:
    private.state.add_blob("base", b"data")
    private.access.denied.add("repository:base:pull")
    target, source = Repository(private.host, "me/model"), Repository(private.host, "base")
    assert upload_blob(known, target, BytesBlob(b"data"), [source]) is Outcome.UPLOADED


def test_a_token_that_ended_is_renewed_in_the_middle(known: Client, private: FakeRegistry) -> None:
    repository = Repository(private.host, "me/model")
    upload_blob(known, repository, BytesBlob(b"one"))
    private.access.revoke_all()
    upload_blob(known, repository, BytesBlob(b"two"))
    assert len(private.access.tokens_sold) == 2


def test_a_token_that_is_about_to_end_is_renewed_before(
    known: Client, private: FakeRegistry
) -> None:
    private.access.token_life_s = 1
    repository = Repository(private.host, "me/model")
    upload_blob(known, repository, BytesBlob(b"one"))
    assert [seen.headers.get("authorization") for seen in private.state.seen].count(None) == 1


def test_wrong_credentials_and_none_are_told_with_the_way_out(private: FakeRegistry) -> None:
    repository = Repository(private.host, "me/model")
    for credential in (Credential("me", "wrong"), None):
        with Client(Known(credential)) as client, pytest.raises(UnauthorizedError) as caught:
            client.list_tags(repository)
        assert f"Run `cog login {private.host}`" in str(caught.value)
        assert "wrong" not in str(caught.value)


def test_who_may_not_push_is_told(patience: Patience) -> None:
    with FakeRegistry({"me": "pw"}, anonymous_pull=True) as registry:
        repository = Repository(registry.host, "me/model")
        with Client(patience=patience) as client, pytest.raises(UnauthorizedError):
            upload_blob(client, repository, BytesBlob(b"one"))
        registry.state.add_manifest("me/model", "v1", "x", b"{}")
        with Client(patience=patience) as client:
            assert client.list_tags(repository) == ["v1"]


def test_a_helper_that_fails_matters_only_if_the_registry_insists() -> None:
    with FakeRegistry({"me": "pw"}, anonymous_pull=True) as registry:
        repository = Repository(registry.host, "me/model")
        with Client(Broken()) as client:
            assert client.list_tags(repository) == []
            with pytest.raises(CredentialsError, match="docker-credential-x is not on PATH"):
                upload_blob(client, repository, BytesBlob(b"one"))


def test_basic_authentication_works(known: Client) -> None:
    with FakeRegistry({"me": ME.password}, auth="basic") as registry:
        assert known.check_access(registry.host) is True
        upload_blob(known, Repository(registry.host, "me/model"), BytesBlob(b"one"))


def test_identity_tokens_work() -> None:
    with FakeRegistry() as registry:
        registry.access.identity_tokens.add("id")
        with Client(Known(Credential(identity_token="id"))) as client:
            upload_blob(client, Repository(registry.host, "m"), BytesBlob(b"one"))


def test_credentials_are_asked_for_only_when_the_registry_wants_some(
    registry: FakeRegistry,
) -> None:
    source = Known(ME)
    with Client(source) as client:
        upload_blob(client, Repository(registry.host, "m"), BytesBlob(b"one"))
    assert source.asked == []


def test_no_secret_is_logged(
    known: Client, private: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    upload_blob(known, Repository(private.host, "m"), BytesBlob(b"one"))
    tokens = [seen.headers.get("authorization", "") for seen in private.state.seen]
    assert any(token.startswith("Bearer ") for token in tokens)
    assert caplog.records
    for secret in [ME.password, *(token.split()[-1] for token in tokens if token), "turn="]:
        assert secret not in caplog.text
