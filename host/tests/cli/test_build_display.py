"""How a build and a push are shown."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console as Terminal

from cogworks.cli.build_display import (
    JsonBuild,
    LateBuild,
    LayerLine,
    PlainBuild,
    QuietBuild,
    Transfer,
    choose_build_display,
)
from cogworks.cli.console import Console
from cogworks.cli.live_build import LiveBuild

NEW = LayerLine("scipy", 34_000_000, True, "sha256:1")
OLD = LayerLine("numpy", 12_000_000, False, "sha256:2")


def test_a_log_has_a_line_for_each_step_and_for_each_new_layer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    display = PlainBuild(Console())
    display.stage("Making layers")
    display.layer(NEW)
    display.layer(OLD)
    display.transfer(Transfer("scipy", 34_000_000, 34_000_000, "uploaded"))
    assert capsys.readouterr().err.splitlines() == [
        *("Making layers", "  scipy: 34.0 MB", "  scipy: 34.0 MB, uploaded"),
    ]


def test_a_log_hears_of_an_upload_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    display = PlainBuild(Console(), clock=lambda: now[0])
    for second in range(12):
        now[0] = second
        display.transfer(Transfer("scipy", second * 1_000_000, 34_000_000))
    assert capsys.readouterr().err.splitlines() == [
        *("  5.0 MB of 34.0 MB sent", "  10.0 MB of 34.0 MB sent"),
    ]


def test_a_program_gets_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = JsonBuild()
    display.stage("Making layers")
    display.layer(NEW)
    display.warning("careful")
    display.transfer(Transfer("scipy", 1, 2))
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event.pop("event") for event in events] == ["stage", "layer", "warning", "transfer"]
    assert all(isinstance(event.pop("time"), float) for event in events)
    assert events[1] == {"title": "scipy", "size": 34_000_000, "new": True, "digest": "sha256:1"}


def test_quiet_shows_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    display = QuietBuild(Console())
    display.stage("Making layers")
    display.layer(NEW)
    display.warning("careful")
    assert capsys.readouterr().err == "warning: careful\n"


def test_a_terminal_keeps_what_is_done_and_shows_what_is_sent() -> None:
    screen = io.StringIO()
    display = LiveBuild(Console(), Terminal(file=screen, force_terminal=True, width=100))
    display.stage("Making layers")
    display.layer(NEW)
    display.stage("Pushing")
    display.transfer(Transfer("scipy", 17_000_000, 34_000_000))
    display.warning("careful")
    display.close()
    display.close()
    shown = screen.getvalue()
    for text in ("Making layers", "scipy", "34.0 MB", "17.0 MB of 34.0 MB", "careful"):
        assert text in shown


def test_a_pipe_gets_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(choose_build_display(None, {}, Console()), PlainBuild)
    assert isinstance(choose_build_display("tty", {}, Console()), LiveBuild)
    environ = {"BUILDKIT_PROGRESS": "rawjson"}
    assert isinstance(choose_build_display(None, environ, Console()), JsonBuild)
    assert type(choose_build_display("quiet", environ, Console())) is QuietBuild


def test_a_stage_without_work_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    display = LateBuild(PlainBuild(Console()))
    display.stage("Packing the project's layers")
    display.layer(OLD)
    display.stage("Packing the server's layers")
    display.layer(NEW)
    display.stage("Loading")
    display.transfer(Transfer("docker", 5, 5, "loaded"))
    display.stage("Nothing")
    display.warning("hm")
    display.close()
    assert capsys.readouterr().err.splitlines() == [
        "Packing the server's layers",
        "  scipy: 34.0 MB",
        "Loading",
        "  docker: 5 B, loaded",
        "warning: hm",
    ]
