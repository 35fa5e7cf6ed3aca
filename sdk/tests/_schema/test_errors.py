from __future__ import annotations

from cog._schema.errors import InputError, OutputError, SignatureError


def test_input_error_lists_all_problems() -> None:
    error = InputError([("a", "Field required"), ("b", "must be >= 1, got 0")])
    assert str(error) == 'input "a": Field required\ninput "b": must be >= 1, got 0'
    assert error.problems[1] == ("b", "must be >= 1, got 0")


def test_output_error_says_where() -> None:
    error = OutputError("output.items[3]", "nan cannot be written as JSON")
    assert str(error) == "output.items[3]: nan cannot be written as JSON"


def test_all_are_value_errors() -> None:
    assert issubclass(SignatureError, ValueError)
    assert issubclass(InputError, ValueError)
    assert issubclass(OutputError, ValueError)
