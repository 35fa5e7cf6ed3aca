from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import cogworks.testing
from cogworks.testing import Fault

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text()


def test_the_example_of_the_page_runs() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    exec(compile(code[1], "docs/testing.md", "exec"), {})


def test_every_way_to_misbehave_is_on_the_page() -> None:
    assert [field.name for field in fields(Fault) if f"`{field.name}`" not in PAGE] == []


def test_what_is_exported_is_there() -> None:
    assert all(hasattr(cogworks.testing, name) for name in cogworks.testing.__all__)
