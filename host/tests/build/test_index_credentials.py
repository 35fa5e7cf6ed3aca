"""Credentials in URLs: whose they are, what counts as a secret, and what is left of a text without them."""

from __future__ import annotations

import pytest

from cogworks.build.index_credentials import has_password, read_credentials, without_passwords

NO_FILES = {"PIP_CONFIG_FILE": "/dev/null", "HOME": "/nowhere"}


def test_variables_in_requirements_are_read_as_pip_and_uv_read_them() -> None:
    line = "--extra-index-url https://me:${TOKEN}@pypi.example/simple"
    found = read_credentials({**NO_FILES, "TOKEN": "hunter2"}, [line])
    assert found.find("https://pypi.example/files/x.whl") == ("me", "hunter2")
    assert not has_password([line])


def test_credentials_of_a_repository_are_for_it_alone() -> None:
    lines = [
        "one @ git+https://me:first@git.example/a/one.git@main",
        "two @ git+https://second@git.example/a/two#subdirectory=python",
    ]
    found = read_credentials(NO_FILES, lines)
    assert found.find_of_git("https://git.example/a/one.git") == ("me", "first")
    assert found.find_of_git("https://git.example/a/two.git") == ("second", "")
    assert found.find_of_git("https://git.example/a/three.git") is None
    assert found.find_of_git("ssh://git@git.example/a/one.git") is None
    assert found.find("https://git.example/a/one.git") is None


@pytest.mark.parametrize(
    ("line", "is_secret"),
    [
        ("x @ git+https://ghp_abc@git.example/x.git", True),
        ("x @ git+https://me:pw@git.example/x.git", True),
        ("x @ git+https://${TOKEN}@git.example/x.git", False),
        ("x @ git+ssh://git@git.example/x.git", False),
        ("x @ https://git.example/x.whl", False),
    ],
)
def test_a_token_in_the_place_of_a_user_is_a_secret(line: str, is_secret: bool) -> None:
    assert has_password([line]) is is_secret


def test_a_user_of_ssh_stays_and_all_else_goes() -> None:
    text = '"ssh://git@a.example/x" "ssh://git:pw@b.example/x" "https://me:pw@c.example" "http://t@d.example"'
    assert without_passwords(text) == (
        '"ssh://git@a.example/x" "ssh://git@b.example/x" "https://c.example" "http://d.example"'
    )
