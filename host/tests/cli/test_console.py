from __future__ import annotations

import pytest

from cogworks.cli.console import Console, is_color_wanted


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"COG_NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_colors_are_for_terminals_that_want_them(
    environ: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert is_color_wanted(environ, is_terminal=is_terminal) is expected


def test_lines_go_to_stderr_without_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.info("a")
    console.warning("b")
    console.error("c")
    assert capsys.readouterr() == ("", "a\nwarning: b\nerror: c\n")


def test_symbols_come_with_colors(capsys: pytest.CaptureFixture[str]) -> None:
    Console(color=True).warning("b")
    assert capsys.readouterr().err == "\x1b[33m⚠\x1b[0m b\n"
