from __future__ import annotations

import pytest

from cogworks.repeat.beside import Beside


def test_it_is_done_when_it_was_waited_for() -> None:
    found: list[int] = []
    one = Beside(lambda: found.append(1))
    one.wait()
    one.wait()
    assert found == [1]


def test_what_goes_wrong_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise OSError("no")

    one = Beside(fail)
    with pytest.raises(OSError, match="no"):
        one.wait()
