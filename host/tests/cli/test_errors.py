from __future__ import annotations

from cogworks.cli.errors import CommandNotFound, InputError, PredictionFailed, quote


def test_one_problem_is_the_message() -> None:
    assert str(InputError(["a is wrong"])) == "a is wrong"


def test_several_problems_are_a_list() -> None:
    expected = "input validation failed:\n  - a is wrong\n  - b too"
    assert str(InputError(["a is wrong", "b too"])) == expected


def test_a_failure_without_a_reason_has_none() -> None:
    assert str(PredictionFailed("canceled", None)) == 'Prediction failed with status "canceled"'


def test_a_command_that_is_not_found_exits_as_a_shell_does() -> None:
    assert CommandNotFound("x").exit_code == 127


def test_long_text_is_cut_and_kept_on_one_line() -> None:
    assert quote("a\nb") == r"'a\nb'"
    assert len(quote("x" * 500)) == 82
