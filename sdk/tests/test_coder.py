"""Coders: found by the type they are for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Optional

import pytest

import cog
from cog import coder
from cog.coder import Coder


class FractionCoder(Coder):
    @staticmethod
    def factory(tpe: Any) -> Optional[Coder]:
        return FractionCoder() if tpe is Fraction else None

    def encode(self, value: Any) -> dict[str, Any]:
        return {"text": str(value)}

    def decode(self, value: dict[str, Any]) -> Any:
        return Fraction(value["text"])


class EverythingCoder(FractionCoder):
    @staticmethod
    def factory(tpe: Any) -> Optional[Coder]:
        return EverythingCoder()


@pytest.fixture(autouse=True)
def _registry_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coder, "_coders", [])


def test_a_registered_coder_is_found_by_its_type() -> None:
    assert Coder.lookup(Fraction) is None
    Coder.register(FractionCoder)
    found = Coder.lookup(Fraction)
    assert found is not None
    assert found.decode(found.encode(Fraction(1, 3))) == Fraction(1, 3)
    assert Coder.lookup(int) is None


def test_the_first_that_is_registered_wins() -> None:
    assert Coder.register(FractionCoder) is FractionCoder
    Coder.register(EverythingCoder)
    Coder.register(FractionCoder)
    assert type(Coder.lookup(Fraction)) is FractionCoder
    assert type(Coder.lookup(int)) is EverythingCoder


def test_a_coder_that_is_not_finished_cannot_be_made() -> None:
    unfinished: Any = Coder
    with pytest.raises(TypeError, match="abstract"):
        unfinished()


def test_older_models_find_it_in_cog() -> None:
    assert cog.Coder is Coder
