from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cogworks.cli.login import command
from cogworks.cli.main import cli
from cogworks.cli.state import State
from cogworks.errors import CogworksError
from cogworks.registry.auth import Credential
from cogworks.registry.auth_file import read_auth_file
from cogworks.registry.errors import LoginRefusedError, UnreachableError
from cogworks.testing import FakeRegistry


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry({"me": "secret", "token": "t0ken"}) as registry:
        yield registry


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def login(config: Path, *arguments: str, stdin: str = "", **environ: str) -> Result:
    state = State({"DOCKER_CONFIG": str(config.parent), **environ})
    return CliRunner().invoke(command, arguments, input=stdin, obj=state, env=environ)


def test_a_password_is_tried_and_stored(registry: FakeRegistry, config: Path) -> None:
    arguments = (registry.host, "--username", "me", "--password-stdin")
    result = login(config, *arguments, stdin="secret\n")
    assert result.exit_code == 0, result.exception
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"Logged in to {registry.host} as me",
        f"The credentials are in {config}",
    ]
    assert read_auth_file(config).find(registry.host) == Credential("me", "secret")


def test_a_token_needs_no_name(registry: FakeRegistry, config: Path) -> None:
    assert login(config, registry.host, "--token-stdin", stdin="t0ken\r\n").exit_code == 0
    assert read_auth_file(config).find(registry.host) == Credential("token", "t0ken")


def test_a_token_of_a_user_is_stored_with_the_name(registry: FakeRegistry, config: Path) -> None:
    login(config, registry.host, "-u", "me", "--token-stdin", stdin="secret")
    assert read_auth_file(config).find(registry.host) == Credential("me", "secret")


def test_wrong_credentials_are_not_stored(registry: FakeRegistry, config: Path) -> None:
    result = login(config, registry.host, "-u", "me", "--password-stdin", stdin="wrong")
    assert isinstance(result.exception, LoginRefusedError)
    assert "incorrect username or password. Nothing was stored" in str(result.exception)
    # Somebody who logs in need not be told to log in.
    assert "cog login" not in str(result.exception)
    assert "wrong" not in str(result.exception)
    assert not config.exists()


def test_a_registry_that_is_not_there_stores_nothing(config: Path) -> None:
    with FakeRegistry() as gone:
        host = gone.host
    result = login(config, host, "--token-stdin", stdin="t")
    assert isinstance(result.exception, UnreachableError)
    assert not config.exists()


def test_a_registry_that_asks_nobody_is_said_and_the_credentials_are_kept(config: Path) -> None:
    with FakeRegistry() as registry:
        result = login(config, registry.host, "--token-stdin", stdin="t")
        assert "asks nobody who they are" in result.stderr
        assert registry.host in json.loads(config.read_text())["auths"]


def test_the_registry_may_be_named_by_the_environment(registry: FakeRegistry, config: Path) -> None:
    result = login(config, "--token-stdin", stdin="t0ken", COG_REGISTRY_HOST=registry.host)
    assert f"Logged in to {registry.host}" in result.stderr


def test_the_global_option_names_the_registry_wherever_it_stands(
    registry: FakeRegistry, config: Path
) -> None:
    state = State({"DOCKER_CONFIG": str(config.parent), "COG_REGISTRY_HOST": "other.example"})
    option = ["--registry", registry.host]
    for arguments in ([*option, "login", "--token-stdin"], ["login", "--token-stdin", *option]):
        result = CliRunner().invoke(cli, arguments, input="t0ken", obj=state)
        assert f"Logged in to {registry.host}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--password-stdin",), "needs --username"),
        (("--password-stdin", "--token-stdin", "-u", "me"), "not both"),
    ],
)
def test_wrong_calls_are_explained(
    registry: FakeRegistry, config: Path, arguments: tuple[str, ...], why: str
) -> None:
    result = login(config, registry.host, *arguments, stdin="x")
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "why"),
    [
        (("--token-stdin",), "\n", "nothing came from standard input"),
        (("--token-stdin",), "a\nb", "should hold one line"),
        (("--token-stdin",), "a" * 70_000, "should hold one line"),
        ((), "", "no terminal to ask for a password"),
    ],
)
def test_what_is_no_password_is_refused_before_anything_is_sent(
    registry: FakeRegistry, config: Path, arguments: tuple[str, ...], stdin: str, why: str
) -> None:
    result = login(config, registry.host, *arguments, stdin=stdin)
    assert isinstance(result.exception, CogworksError)
    assert why in str(result.exception)
    assert registry.requests == []


def test_what_is_no_registry_is_refused(config: Path) -> None:
    result = login(config, "me/model", "--token-stdin", stdin="t")
    assert isinstance(result.exception, CogworksError)
    assert "'me/model' is not a registry: a host name is" in str(result.exception)
