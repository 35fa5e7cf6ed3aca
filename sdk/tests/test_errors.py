"""The errors of the SDK: their tree, and what they quote."""

from __future__ import annotations

import re

import pytest

import cog
from cog import errors, exceptions
from cog.errors import CancelationException, CogError, quote_short, redact_url


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = re.findall(r"([│ ]*)└── (\w+)|([│ ]*)├── (\w+)", errors.__doc__ or "")
    names = {name or other for _, name, _, other in drawn}
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert names == classes
    for name in classes - {"CogError", "CancelationException"}:
        assert issubclass(getattr(errors, name), CogError)


def test_a_cancelation_passes_except_exception() -> None:
    assert issubclass(CancelationException, BaseException)
    assert not issubclass(CancelationException, Exception)


def test_the_cancelation_has_one_class_under_all_its_names() -> None:
    assert exceptions.CancelationException is cog.CancelationException is CancelationException


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a/b.png", "https://h/a/b.png"),
        ("https://user:pass@h:1/a?key=1#x", "https://h:1/a"),
        ("https://h", "https://h"),
        ("https://h/a@b", "https://h/a@b"),
        ("https://h/" + "a" * 100, "https://h/" + "a" * 69 + "…"),
        ("no url?x", "no url"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_what_is_quoted_is_short() -> None:
    assert quote_short("short") == "'short'"
    assert quote_short("a" * 100) == repr("a" * 79 + "…")
    assert quote_short(7) == "7"
    assert len(quote_short(list(range(100)))) == 80
