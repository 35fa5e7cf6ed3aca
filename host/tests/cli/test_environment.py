from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.environment import environment_of_model, parse_environment
from cogworks.cli.errors import OptionError


def environment(
    environ: dict[str, str], project: tuple[tuple[str, str], ...] = (), **options: str
) -> dict[str, str]:
    return environment_of_model(environ, Path("/venv"), Path("/venv/bin"), project, options)


def test_a_name_alone_passes_the_users_own_value_on() -> None:
    given = ["A=1=2", "B", "C", "D="]
    assert parse_environment(given, {"B": "b"}) == {"A": "1=2", "B": "b", "D": ""}


@pytest.mark.parametrize("argument", ["", "=x", "A=\0"])
def test_an_impossible_name_is_refused(argument: str) -> None:
    with pytest.raises(OptionError, match="expected NAME=VALUE or NAME"):
        parse_environment([argument], {})


def test_later_ones_win() -> None:
    result = environment(
        {"A": "user", "B": "user", "C": "user"}, (("B", "yaml"), ("C", "yaml")), C="opt"
    )
    assert (result["A"], result["B"], result["C"]) == ("user", "yaml", "opt")


def test_the_environments_programs_come_first() -> None:
    result = environment({"PATH": "/usr/bin", "VIRTUAL_ENV": "/other"})
    assert result["PATH"] == "/venv/bin:/usr/bin"
    assert result["VIRTUAL_ENV"] == "/venv"


def test_what_belongs_to_another_python_is_left_out() -> None:
    result = environment({"PYTHONPATH": "/host", "PYTHONHOME": "/host"}, PYTHONPATH="/mine")
    assert result["PYTHONPATH"] == "/mine"
    assert "PYTHONHOME" not in result
