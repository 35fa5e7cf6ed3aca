"""Names that older models import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cog
from cog.deprecated import ExperimentalFeatureWarning, emit_metric
from cog.scope import Scope, enter_scope, exit_scope


def test_the_warning_is_a_future_warning() -> None:
    assert issubclass(ExperimentalFeatureWarning, FutureWarning)


def test_emit_metric_records() -> None:
    recorded: list[tuple[str, Any, str]] = []
    token = enter_scope(Scope({}, lambda name, value, mode: recorded.append((name, value, mode))))
    emit_metric("tokens", 3)
    exit_scope(token)
    assert recorded == [("tokens", 3, "replace")]


def test_a_note_is_printed_once_for_each_name() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(cog.__file__).parents[1])!r}); import cog\n"
        "for _ in range(3): cog.emit_metric('x', 1); cog.ExperimentalFeatureWarning"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    lines = done.stderr.splitlines()
    assert [line.partition(" is deprecated")[0] for line in lines] == [
        "cog.emit_metric",
        "cog.ExperimentalFeatureWarning",
    ]
    assert "current_scope().record_metric" in lines[0]
    assert done.stdout == ""
