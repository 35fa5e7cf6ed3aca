from __future__ import annotations

import pytest

from cogworks.repeat.call import call_key, may_repeat, record_path

VARIABLES = {"PATH": "/bin", "COG_PLATFORM": "linux/amd64"}
FIRST = call_key(["build"], "/project", VARIABLES, is_terminal=False)


@pytest.mark.parametrize(
    "other",
    [
        call_key(["push"], "/project", VARIABLES, is_terminal=False),
        call_key(["build", "--lock"], "/project", VARIABLES, is_terminal=False),
        call_key(["build"], "/other", VARIABLES, is_terminal=False),
        call_key(["build"], "/project", {**VARIABLES, "UV_INDEX": "x"}, is_terminal=False),
        call_key(["build"], "/project", VARIABLES, is_terminal=True),
    ],
)
def test_whatever_decides_on_a_call_is_in_its_name(other: str) -> None:
    assert other != FIRST


def test_a_call_from_another_shell_is_the_same() -> None:
    variables = {**dict(reversed(VARIABLES.items())), "SHLVL": "3", "OLDPWD": "/else"}
    assert call_key(["build"], "/project", variables, is_terminal=False) == FIRST


def test_a_variable_that_is_no_text_has_a_name_too() -> None:
    variables = {"A": "\udcff"}
    assert len(call_key(["build"], "/project", variables, is_terminal=False)) == 64


def test_records_are_below_the_cache() -> None:
    assert record_path("/cache", FIRST) == f"/cache/oci/calls/{FIRST}.json"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["build"], True),
        (["push", "r.example/m"], True),
        ([], False),
        (["run"], False),
        (["--debug", "build"], False),
        (["build", "--help"], False),
    ],
)
def test_builds_and_pushes_may_be_repeated(arguments: list[str], wanted: bool) -> None:
    assert may_repeat(arguments) is wanted
