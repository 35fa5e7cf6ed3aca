"""Running uv and reading its messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.uv import (
    SHOWN_LINES,
    Uv,
    clean_environment,
    explain,
    is_noise,
)


@pytest.mark.slow
def test_output_and_messages_are_kept_apart(tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = Uv({}).run(["--version"], tmp_path, lines.append)
    assert outcome.code == 0
    assert outcome.output.startswith("uv ")
    assert lines == []


@pytest.mark.slow
def test_an_error_is_in_the_outcome_and_not_told_as_progress(tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = Uv(None).run(["pip", "sync", "no-such-file.txt"], tmp_path, lines.append)
    assert outcome.code != 0
    assert "no-such-file.txt" in outcome.explanation
    assert lines == []


def test_an_error_is_told_without_labels_and_frames() -> None:
    messages = (
        "warning: something old",
        "Resolved 3 packages in 1ms",
        "error: No solution found when resolving dependencies",
        "  cause: Because a was not found and you require a, we can conclude that",
        "",
        "hint: Try b.",
    )
    assert explain(messages).splitlines() == [
        "No solution found when resolving dependencies",
        "Because a was not found and you require a, we can conclude that",
        "hint: Try b.",
    ]


def test_the_framed_errors_of_older_versions_are_told_the_same_way() -> None:
    messages = (
        "  × No solution found when resolving dependencies:",
        "  ╰─▶ Because a was not found and",
        "      you require a, we stop.",
    )
    assert explain(messages).splitlines() == [
        "No solution found when resolving dependencies:",
        "Because a was not found and",
        "      you require a, we stop.",
    ]


def test_a_long_error_is_cut_in_its_middle() -> None:
    lines = explain(["error: start", *(f"line {n}" for n in range(200))]).splitlines()
    assert len(lines) == SHOWN_LINES + 1
    assert lines[0] == "start"
    assert lines[-1] == "line 199"
    assert lines[SHOWN_LINES // 2] == "… 171 lines left out …"


def test_no_message_at_all_is_said_too() -> None:
    assert explain([]) == "uv gave no reason"


@pytest.mark.parametrize(
    ("line", "noise"),
    [
        ("warning: Failed to hardlink files", True),
        ("  Querying Python at ... failed", True),
        ("Using Python 3.11.7 environment", True),
        ("error: x", True),
        ("Downloading numpy (16.1MiB)", False),
        (" + numpy==2.0", False),
        ("Installed 4 packages in 14ms", False),
    ],
)
def test_only_progress_is_told(line: str, noise: bool) -> None:
    assert is_noise(line) == noise


def test_settings_of_foreign_environments_are_removed() -> None:
    given = {"VIRTUAL_ENV": "/x", "PYTHONPATH": "/y", "UV_INDEX_URL": "u", "PATH": "/bin"}
    assert clean_environment(given) == {"UV_INDEX_URL": "u", "PATH": "/bin"}
