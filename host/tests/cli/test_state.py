from __future__ import annotations

from cogworks.cli.state import State


def test_no_color_is_passed_on() -> None:
    state = State({"A": "a"})
    state.use_no_color()
    assert state.environ == {"A": "a", "NO_COLOR": "1"}
    assert not state.console.color


def test_debug_reaches_the_console() -> None:
    state = State({})
    state.use_debug()
    assert state.console.debug
