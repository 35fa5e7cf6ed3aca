"""``docs/bridge.md`` shows a line of every message, and each line is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cog._bridge.limits import MAX_FRAME_BYTES
from cog._bridge.messages import TYPES, decode

PAGE = Path(__file__).resolve().parents[3] / "docs" / "bridge.md"


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_message_has_an_example_that_can_be_read(text: str) -> None:
    lines = re.findall(r'`(\{"type":.*?\})`', text)
    assert {type(decode(line.encode())) for line in lines} == set(TYPES.values())


def test_the_limit_is_the_one_in_force(text: str) -> None:
    assert f"at most {MAX_FRAME_BYTES // 2**20} MiB" in text
