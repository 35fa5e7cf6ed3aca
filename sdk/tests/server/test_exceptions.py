"""Old projects import the exception from here."""

from __future__ import annotations

import cog
from cog.server.exceptions import CancelationException


def test_it_is_the_same_exception() -> None:
    assert CancelationException is cog.CancelationException
