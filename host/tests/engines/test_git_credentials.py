from __future__ import annotations

import base64

from cogworks.engines.git_credentials import git_access


def basic(pair: str) -> str:
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


def test_credentials_move_from_the_line_into_gits_variables() -> None:
    line = "ours[all] @ git+https://me:${TOKEN}@host:8443/team/ours.git@v1#subdirectory=a ; x"
    access = git_access([line, "six==1.16.0"], {"TOKEN": "s3c%2Fret"})
    assert access.lines == (
        "ours[all] @ git+https://host:8443/team/ours.git@v1#subdirectory=a ; x",
        "six==1.16.0",
    )
    assert access.variables == {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://host:8443/.extraHeader",
        "GIT_CONFIG_VALUE_0": basic("me:s3c/ret"),
    }


def test_repositories_of_one_host_may_have_different_ones() -> None:
    lines = [
        "a @ git+https://one@host/a.git",
        "b @ git+https://two@host/b.git",
        "c @ git+http://x:y@other/c",
        "d @ git+http://x:y@other/d",
    ]
    access = git_access(lines, {"GIT_CONFIG_COUNT": "2"})
    assert access.lines[0] == "a @ git+https://host/a.git"
    assert access.variables == {
        "GIT_CONFIG_COUNT": "5",
        "GIT_CONFIG_KEY_2": "http.https://host/a.git.extraHeader",
        "GIT_CONFIG_VALUE_2": basic("one:"),
        "GIT_CONFIG_KEY_3": "http.https://host/b.git.extraHeader",
        "GIT_CONFIG_VALUE_3": basic("two:"),
        "GIT_CONFIG_KEY_4": "http.http://other/.extraHeader",
        "GIT_CONFIG_VALUE_4": basic("x:y"),
    }


def test_what_has_no_credentials_of_git_stays_as_it_is() -> None:
    lines = [
        "a @ git+https://host/a.git@v1",
        "b @ git+ssh://git@host/b.git",
        "c @ https://me:pw@host/c-1-py3-none-any.whl",
        "d @ git+https://${UNSET}@host/d.git",
    ]
    access = git_access(lines, {})
    assert access.lines == tuple(lines)
    assert access.variables == {}
