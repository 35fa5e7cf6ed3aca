"""Credentials as docker and podman write them are found, and ours are written so that they find them."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cogworks.registry.auth import Credential
from cogworks.registry.auth_file import DOCKER_HUB_KEY, AuthFile, read_auth_file
from cogworks.registry.credentials import CredentialStore, credential_store
from cogworks.registry.errors import CredentialsError

ME = Credential("me", "pa:ss")
HELPER = """#!/bin/sh
# Keeps what it is given in a folder, as the protocol of docker's helpers wants it.
case "$1" in
  get)
    read -r server
    file="$STORE/$(printf %s "$server" | tr / _)"
    if [ -f "$file" ]; then cat "$file"; else
      echo "credentials not found in native keychain"; exit 1
    fi ;;
  store)
    text=$(cat)
    server=$(printf %s "$text" | sed 's/.*"ServerURL": "\\([^"]*\\)".*/\\1/')
    printf %s "$text" > "$STORE/$(printf %s "$server" | tr / _)" ;;
esac
"""


def basic(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return credential_store({}, tmp_path)


@pytest.fixture
def docker_file(tmp_path: Path) -> Path:
    return tmp_path / ".docker" / "config.json"


@pytest.fixture
def make_helper(tmp_path: Path) -> Callable[[str], CredentialStore]:
    """Return a function that installs a helper `docker-credential-test` and gives a store that can run it."""

    def make(script: str = HELPER) -> CredentialStore:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "docker-credential-test"
        program.write_text(script)
        program.chmod(0o755)
        (tmp_path / "kept").mkdir()
        environ = {"PATH": f"{folder}:/usr/bin:/bin", "STORE": str(tmp_path / "kept")}
        return credential_store(environ, tmp_path)

    return make


def test_nobody_is_known_where_no_file_is(store: CredentialStore) -> None:
    assert store.find("r.example") is None


def test_what_docker_login_stored_is_found(store: CredentialStore, docker_file: Path) -> None:
    write(docker_file, {"auths": {"r.example": basic("me", "pa:ss")}})
    assert store.find("r.example") == ME
    assert store.find("r.example:5000") is None


@pytest.mark.parametrize(
    "key",
    ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"],
)
def test_docker_hub_is_found_under_each_of_its_names(
    store: CredentialStore, docker_file: Path, key: str
) -> None:
    write(docker_file, {"auths": {key: basic("me", "pa:ss")}})
    assert store.find("docker.io") == ME


@pytest.mark.parametrize("key", ["https://r.example", "https://r.example/v2/", "R.Example"])
def test_old_spellings_of_a_registry_are_understood(
    store: CredentialStore, docker_file: Path, key: str
) -> None:
    write(docker_file, {"auths": {key: basic("me", "pa:ss")}})
    assert store.find("r.example") == ME


def test_identity_tokens_are_found(store: CredentialStore, docker_file: Path) -> None:
    entries = {"a.example": {"identitytoken": "t", "auth": ""}, "b.example": basic("<token>", "t")}
    write(docker_file, {"auths": entries})
    for registry in entries:
        assert store.find(registry) == Credential(identity_token="t")


def test_an_empty_entry_is_nobody(store: CredentialStore, docker_file: Path) -> None:
    write(docker_file, {"auths": {"r.example": {}, "s.example": 1}})
    assert store.find("r.example") is None
    assert store.find("s.example") is None


def test_the_files_are_looked_into_in_their_order(tmp_path: Path) -> None:
    environ = {
        "REGISTRY_AUTH_FILE": str(tmp_path / "named.json"),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    paths = ["config/containers/auth.json", "run/containers/auth.json"]
    paths += ["docker/config.json", "named.json"]
    store = credential_store(environ, tmp_path)
    for path in paths:
        write(tmp_path / path, {"auths": {"r.example": basic(path, "pw")}})
        assert store.find("r.example") == Credential(path, "pw")


def test_what_is_saved_is_found_and_only_its_owner_can_read_it(
    store: CredentialStore, docker_file: Path
) -> None:
    assert store.save("r.example", ME) == str(docker_file)
    assert store.find("r.example") == ME
    assert stat.S_IMODE(docker_file.stat().st_mode) == 0o600
    assert [path.name for path in docker_file.parent.iterdir()] == ["config.json"]


def test_docker_hub_is_saved_under_the_name_that_docker_looks_for(
    store: CredentialStore, docker_file: Path
) -> None:
    store.save("index.docker.io", ME)
    assert list(json.loads(docker_file.read_text())["auths"]) == [DOCKER_HUB_KEY]


def test_saving_keeps_everything_else_and_replaces_other_spellings(
    store: CredentialStore, docker_file: Path
) -> None:
    others = {"s.example": basic("you", "pw"), "r.example/team": basic("team", "pw")}
    old = {"https://r.example/": basic("old", "pw")}
    write(docker_file, {"psFormat": "table", "auths": {**others, **old}})
    docker_file.chmod(0o644)
    store.save("r.example", ME)
    value = json.loads(docker_file.read_text())
    assert value == {"psFormat": "table", "auths": {**others, "r.example": basic("me", "pa:ss")}}
    assert stat.S_IMODE(docker_file.stat().st_mode) == 0o600


def test_a_file_that_is_a_link_stays_one(
    store: CredentialStore, docker_file: Path, tmp_path: Path
) -> None:
    write(tmp_path / "dotfiles.json", {})
    docker_file.parent.mkdir()
    docker_file.symlink_to(tmp_path / "dotfiles.json")
    store.save("r.example", ME)
    assert docker_file.is_symlink()
    assert "r.example" in (tmp_path / "dotfiles.json").read_text()


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_file_that_is_not_json_is_named_and_left_alone(
    store: CredentialStore, docker_file: Path, text: str
) -> None:
    write(docker_file, None)
    docker_file.write_text(text)
    for action in (lambda: store.find("r.example"), lambda: store.save("r.example", ME)):
        with pytest.raises(CredentialsError, match=r"config\.json is not .*JSON"):
            action()
    assert docker_file.read_text() == text


def test_an_entry_that_cannot_be_read_is_named(store: CredentialStore, docker_file: Path) -> None:
    write(docker_file, {"auths": {"r.example": {"auth": "?"}}})
    with pytest.raises(
        CredentialsError, match=r"the entry of r\.example .* `cog login r\.example`"
    ):
        store.find("r.example")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = credential_store({"DOCKER_CONFIG": str(tmp_path / "file" / "x")}, tmp_path)
    with pytest.raises(CredentialsError, match=r"cannot be written: .* DOCKER_CONFIG"):
        store.save("r.example", ME)


@pytest.mark.parametrize(
    "config", [{"credsStore": "test"}, {"credHelpers": {"r.example": "test"}, "credsStore": "no"}]
)
def test_a_helper_keeps_what_the_file_says_it_keeps(
    make_helper: Callable[[], CredentialStore], docker_file: Path, config: dict[str, Any]
) -> None:
    write(docker_file, config)
    store = make_helper()
    assert store.find("r.example") is None
    assert store.save("r.example", ME) == "the credential helper docker-credential-test"
    assert store.find("r.example") == ME
    assert json.loads(docker_file.read_text()) == {**config, "auths": {"r.example": {}}}


def test_a_helper_for_one_registry_is_not_asked_for_another(
    make_helper: Callable[[str], CredentialStore], docker_file: Path
) -> None:
    write(docker_file, {"credHelpers": {"other.example": "test"}})
    store = make_helper("#!/bin/sh\nexit 3\n")
    assert store.find("r.example") is None


def test_a_token_from_a_helper_is_an_identity_token(
    make_helper: Callable[[str], CredentialStore], docker_file: Path
) -> None:
    write(docker_file, {"credsStore": "test"})
    answer = '{"ServerURL":"r","Username":"<token>","Secret":"t"}'
    store = make_helper(f"#!/bin/sh\necho '{answer}'\n")
    assert store.find("r.example") == Credential(identity_token="t")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("#!/bin/sh\necho locked >&2; exit 1\n", "failed at get: locked"),
        ("#!/bin/sh\necho hello\n", "its answer is not JSON"),
    ],
)
def test_a_helper_that_fails_is_named(
    make_helper: Callable[[str], CredentialStore], docker_file: Path, script: str, why: str
) -> None:
    write(docker_file, {"credsStore": "test"})
    with pytest.raises(CredentialsError, match=f"docker-credential-test .*{why}"):
        make_helper(script).find("r.example")


def test_a_helper_that_fails_to_store_does_not_betray_the_password(
    make_helper: Callable[[str], CredentialStore], docker_file: Path
) -> None:
    write(docker_file, {"credsStore": "test"})
    store = make_helper("#!/bin/sh\ncat >&2; exit 1\n")
    with pytest.raises(CredentialsError) as caught:
        store.save("r.example", ME)
    assert "pa:ss" not in str(caught.value)
    assert json.loads(docker_file.read_text()) == {"credsStore": "test"}


@pytest.mark.parametrize("name", ["missing", "../../bin/sh", "a b"])
def test_a_helper_that_is_not_there_is_named(
    store: CredentialStore, docker_file: Path, name: str
) -> None:
    write(docker_file, {"credsStore": name})
    with pytest.raises(CredentialsError, match=r"not on PATH|not a credential helper's name"):
        store.find("r.example")


# Each example waits for the disk.
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(min_size=1).filter(lambda text: ":" not in text), st.text(min_size=1))
def test_any_user_and_password_read_back(tmp_path: Path, user: str, password: str) -> None:
    if user == "<token>" or password.strip("\0") != password:
        return
    path = tmp_path / "config.json"
    AuthFile(path).with_credential("r.example", Credential(user, password)).write()
    assert read_auth_file(path).find("r.example") == Credential(user, password)
