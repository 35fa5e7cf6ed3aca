from __future__ import annotations

import pytest

from cogworks.cli.account import account_rows, built_title, sent_row, show_account
from cogworks.cli.console import Console


def test_an_image_is_told_of_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    rows = account_rows("sha256:a", [1000, 500], 500, "python:3.12-slim@abc")
    show_account(Console(), "Image built", rows)
    assert capsys.readouterr().err.splitlines() == [
        "Image built",
        "  digest  sha256:a",
        "  size    1.5 kB in 2 layers, 500 B of them made now",
        "  base    python:3.12-slim@abc",
    ]


def test_what_was_not_made_now_is_said_to_be_so() -> None:
    assert account_rows("d", [1], 0, "b")[1] == ("size", "1 B in 1 layers, none of them made now")
    assert built_title("m", is_changed=True) == "Image built as m"
    assert "Nothing has changed" in built_title("m", is_changed=False)


def test_what_was_sent_is_counted() -> None:
    assert sent_row([]) == ("sent", "nothing: the registry has it all")
    assert sent_row([1000]) == ("sent", "1.0 kB in 1 blob")
    assert sent_row([1000, 1000]) == ("sent", "2.0 kB in 2 blobs")
