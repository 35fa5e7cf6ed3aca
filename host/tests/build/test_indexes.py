"""Where packages come from, told to uv by variables and to pip by a file."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest

from cogworks.build.index_credentials import read_credentials
from cogworks.build.indexes import Indexes, index_variables

NO_FILES = {"PIP_CONFIG_FILE": "/dev/null", "HOME": "/nowhere"}


def indexes(variables: Mapping[str, str]) -> Indexes:
    return Indexes(variables, read_credentials({**NO_FILES, **variables}))


def test_where_nothing_is_said_pip_needs_no_file() -> None:
    assert indexes({}).pip_config() == ""
    assert indexes({}).urls == ()


def test_pip_gets_what_uv_has_with_credentials() -> None:
    found = indexes(
        {
            "UV_DEFAULT_INDEX": "corp=https://pypi.example/simple",
            "UV_INDEX_CORP_USERNAME": "me",
            "UV_INDEX_CORP_PASSWORD": "p@ss",
            "UV_INDEX": "https://you:too@other.example/simple https://third.example/simple",
            "UV_FIND_LINKS": "/a/folder,https://links.example/x",
            "UV_INSECURE_HOST": "pypi.example",
        }
    )
    assert found.netrc() == (
        "machine pypi.example login me password p@ss\nmachine other.example login you password too\n"
    )
    assert found.pip_config() == (
        "[global]\n"
        "index-url = https://pypi.example/simple\n"
        "extra-index-url =\n"
        "    https://other.example/simple\n"
        "    https://third.example/simple\n"
        "find-links =\n"
        "    https://links.example/x\n"
        "trusted-host =\n"
        "    pypi.example\n"
    )
    assert "p@ss" not in repr(found)
    assert "too" not in repr(found)


@pytest.mark.parametrize("password", ["with space", "#x", 'qu"ote', "back\\slash", ""])
def test_what_a_netrc_file_cannot_say_stays_in_the_url(password: str) -> None:
    url = f"https://me:{quote(password)}@pypi.example/simple"
    found = indexes({"UV_DEFAULT_INDEX": url})
    assert found.netrc() == ""
    assert (
        found.pip_config()
        == f"[global]\nindex-url = https://me:{quote(password)}@pypi.example/simple\n"
    )


def test_two_passwords_for_one_host_stay_in_the_urls() -> None:
    one, two = "https://a:b@pypi.example/x", "https://c:d@pypi.example:8443/y"
    found = indexes({"UV_INDEX": f"{one} {two}"})
    assert found.netrc() == ""
    assert found.pip_config() == f"[global]\nextra-index-url =\n    {one}\n    {two}\n"


def test_more_indexes_leave_pips_default_as_it_is() -> None:
    config = indexes({"UV_INDEX": "https://more.example/simple"}).pip_config()
    assert config == "[global]\nextra-index-url =\n    https://more.example/simple\n"


def test_who_wants_no_index_gets_none() -> None:
    for name in ("UV_NO_INDEX", "UV_OFFLINE"):
        assert indexes({name: "1"}).pip_config() == "[global]\nno-index = true\n"
        assert indexes({name: "false"}).pip_config() == ""


def test_folders_of_this_machine_are_nothing_to_another() -> None:
    assert indexes({"UV_DEFAULT_INDEX": "file:///opt/simple"}).pip_config() == ""
    assert indexes({"UV_FIND_LINKS": "/opt/wheels"}).pip_config() == ""


def test_options_of_requirements_are_told_to_uv() -> None:
    options = [
        "--index-url https://one.example/simple",
        "--extra-index-url=https://two.example/simple",
        "--extra-index-url https://three.example/simple",
        "--find-links https://links.example",
        "--no-index",
    ]
    assert index_variables(options, {"UV_INDEX": "https://zero.example/simple"}) == {
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "https://zero.example/simple https://two.example/simple https://three.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "https://links.example",
        "UV_NO_INDEX": "1",
    }
    assert index_variables([], {"UV_INDEX": "x"}) == {}
