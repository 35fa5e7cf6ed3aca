"""The base classes of models: two names for one method."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from cog import BasePredictor, BaseRunner, current_scope
from cog.scope import Scope, enter_scope, exit_scope


class New(BaseRunner):
    def run(self, x: int, *, y: int = 1) -> int:
        return x + y


class Old(BaseRunner):
    def predict(self, x: int, *, y: int = 1) -> int:
        return x + y


class Neither(BaseRunner):
    pass


class Mixin:
    def run(self, x: int) -> int:
        return -x


def test_setup_does_nothing_by_itself() -> None:
    runner = BaseRunner()
    assert runner.setup() is None
    assert runner.setup(weights=None) is None


def test_run_finds_predict() -> None:
    assert Old().run(1, y=2) == 3


def test_predict_finds_run_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match=r"call run\(\)") as warned:
        assert New().predict(1, y=2) == 3
    assert warned[0].filename == __file__


def test_a_model_with_neither_says_so() -> None:
    for method in (Neither().run, Neither().predict, BaseRunner().run):
        with pytest.raises(NotImplementedError, match=r"must define run\(\) or predict\(\)"):
            method()


def test_an_inherited_method_counts() -> None:
    class Derived(Old):
        pass

    assert Derived().run(1) == 2


def test_a_method_of_a_mixin_counts_only_before_the_base() -> None:
    class Before(Mixin, BaseRunner):  # pyright: ignore[reportIncompatibleMethodOverride]
        pass

    class After(BaseRunner, Mixin):
        pass

    with pytest.warns(DeprecationWarning, match="call run"):
        assert Before().predict(1) == -1
    with pytest.raises(NotImplementedError):
        After().predict(1)


def test_using_base_predictor_warns_where_it_is_used() -> None:
    with pytest.warns(DeprecationWarning, match="use BaseRunner") as warned:

        class Predictor(BasePredictor):
            def predict(self) -> str:
                return "x"

    assert warned[0].filename == __file__
    assert Predictor().run() == "x"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        type("Below", (Predictor,), {})


def test_a_model_measures_its_own_prediction() -> None:
    recorded: list[tuple[str, Any, str]] = []
    scope = Scope({"key": "value"}, lambda name, value, mode: recorded.append((name, value, mode)))

    class Measuring(BaseRunner):
        def run(self) -> str:
            self.record_metric("tokens", 2)
            self.record_metric("tokens", 3, mode="incr")
            return self.scope.context["key"]

    token = enter_scope(scope)
    try:
        assert Measuring().run() == "value"
    finally:
        exit_scope(token)
    assert recorded == [("tokens", 2, "replace"), ("tokens", 3, "increment")]


def test_outside_a_prediction_nothing_is_measured() -> None:
    runner = New()
    assert runner.scope is current_scope()
    runner.record_metric("tokens", 2)
