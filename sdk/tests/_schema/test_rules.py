from __future__ import annotations

import pytest

from cog._schema.errors import SignatureError
from cog._schema.rules import (
    check_output_rules,
    check_setup_parameters,
    choose_method,
    refused_parameter,
)
from cog._schema.types import IteratorType, Scalar, Signature

TEXT = Scalar("str")


def test_method_is_chosen_by_mode() -> None:
    names = {"setup", "run", "train"}
    assert choose_method("C", names, "run") == "run"
    assert choose_method("C", names, "train") == "train"
    assert choose_method("C", {"predict"}, "run") == "predict"


def test_neither_and_both_are_refused() -> None:
    with pytest.raises(SignatureError, match=r"^run or predict method not found: C$"):
        choose_method("C", (), "run")
    with pytest.raises(
        SignatureError, match=r"^C must define either run\(\) or predict\(\), not both$"
    ):
        choose_method("C", ("run", "predict"), "run")


def test_setup_takes_weights_and_what_has_a_default() -> None:
    check_setup_parameters([("self", True), ("weights", True), ("device", False)], True)


def test_setup_takes_nothing_else() -> None:
    with pytest.raises(SignatureError, match=r"^unexpected setup\(\) arguments: a, \*\*b$"):
        check_setup_parameters([("self", True), ("a", True), ("**b", True)], True)
    with pytest.raises(SignatureError, match="must have 'self' as first argument"):
        check_setup_parameters([], True)
    with pytest.raises(SignatureError, match=r"^setup\(\) must return None$"):
        check_setup_parameters([("self", True)], False)


def test_streaming_needs_an_iterator() -> None:
    check_output_rules(Signature((), IteratorType(TEXT), streaming=True), "run")
    with pytest.raises(SignatureError, match="@streaming requires an iterator return type"):
        check_output_rules(Signature((), TEXT, streaming=True), "run")


def test_concurrency_needs_async() -> None:
    check_output_rules(Signature((), TEXT, is_async=True, concurrency=2), "run")
    check_output_rules(Signature((), TEXT, concurrency=1), "run")
    with pytest.raises(SignatureError, match=r"@concurrent\(max=2\) needs an async run\(\)"):
        check_output_rules(Signature((), TEXT, concurrency=2), "run")


def test_refused_parameters_say_what_to_do() -> None:
    assert "a parameter of its own" in refused_parameter("**options").advice
    assert refused_parameter("x").advice == "Remove the `/`."
