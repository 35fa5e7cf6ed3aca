from __future__ import annotations

import pytest

from cogworks.cli.console import Console
from cogworks.cli.progress import (
    Display,
    LiveProgress,
    PlainProgress,
    QuietProgress,
    choose_progress,
)


@pytest.mark.parametrize(
    ("style", "environ", "expected"),
    [
        ("quiet", {}, QuietProgress),
        ("tty", {}, LiveProgress),
        ("plain", {}, PlainProgress),
        (None, {}, PlainProgress),
        (None, {"BUILDKIT_PROGRESS": "quiet"}, QuietProgress),
        (None, {"BUILDKIT_PROGRESS": "rawjson"}, PlainProgress),
        ("plain", {"BUILDKIT_PROGRESS": "tty"}, PlainProgress),
    ],
)
def test_the_option_wins_over_the_variable(
    style: str | None, environ: dict[str, str], expected: type[Display]
) -> None:
    assert isinstance(choose_progress(style, environ, Console()), expected)


def tell(display: Display) -> None:
    display.stage("Making it")
    display.line("first part")
    display.done("Made in 1 s")
    display.close()
    display.close()


def test_plain_lines_are_printed_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    tell(PlainProgress(Console()))
    assert capsys.readouterr() == ("", "Making it\n  first part\nMade in 1 s\n")


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    tell(QuietProgress())
    assert capsys.readouterr() == ("", "")


def test_the_live_display_leaves_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(LiveProgress(Console()))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("Made in 1 s\n")


def test_markup_in_a_detail_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    display = LiveProgress(Console())
    display.stage("Making [red]it[/nope]")
    display.close()
    assert "Traceback" not in capsys.readouterr().err
