"""A secret is shown nowhere."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from cog import Secret

VALUE = "hunter2-hunter2"


@pytest.fixture
def secret() -> Secret:
    return Secret(VALUE)


def test_its_value_is_given_to_who_asks(secret: Secret) -> None:
    assert secret.get_secret_value() == secret.secret_value == VALUE
    assert Secret(secret_value=VALUE) == secret


def test_text_shows_asterisks(secret: Secret) -> None:
    assert str(secret) == "**********"
    assert repr(secret) == "Secret(**********)"
    assert f"{secret}" == f"{secret!s}" == "**********"
    assert f"{secret:>12}" == "  **********"
    assert "%s" % secret == "**********"  # noqa: UP031 - this is what is tested


def test_an_absent_secret_is_empty() -> None:
    assert str(Secret()) == str(Secret(None)) == ""
    assert repr(Secret(None)) == "Secret()"
    assert Secret(None).get_secret_value() is None


def test_dumps_do_not_show_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    @dataclasses.dataclass
    class Holder:
        token: Secret

    assert VALUE not in repr(dataclasses.asdict(Holder(secret)))
    assert not hasattr(secret, "__dict__")
    logging.getLogger("test").warning("token=%s %r", secret, {"token": secret})
    assert VALUE not in caplog.text
    with pytest.raises(TypeError):
        json.dumps(secret)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(secret: Secret, protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret, protocol)


def test_copies_are_itself(secret: Secret) -> None:
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret


def test_equal_values_are_equal_secrets(secret: Secret) -> None:
    assert secret == Secret(VALUE)
    assert secret != Secret("other")
    assert secret != VALUE
    assert {secret: 1}[Secret(VALUE)] == 1
    assert hash(secret) != hash(VALUE)


def test_it_cannot_be_changed(secret: Secret) -> None:
    anything: Any = secret
    changes: list[Callable[[], None]] = [
        lambda: setattr(anything, "_value", "x"),
        lambda: setattr(anything, "secret_value", "x"),
        lambda: setattr(anything, "other", "x"),
        lambda: delattr(anything, "_value"),
    ]
    for change in changes:
        with pytest.raises(AttributeError):
            change()
    assert secret.get_secret_value() == VALUE


def test_what_is_no_string_is_refused_without_showing_it() -> None:
    value: Any = 1234567
    with pytest.raises(TypeError) as caught:
        Secret(value)
    assert "1234567" not in str(caught.value)
    assert "int" in str(caught.value)
