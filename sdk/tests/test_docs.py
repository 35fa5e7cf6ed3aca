"""The SDK's page of the documentation: complete, and true."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

import cog

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [
    (section.partition("\n")[0], code)
    for section in re.split(r"^## ", TEXT, flags=re.M)
    for code in re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)
]


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == TEXT.count("```python") > 15


@pytest.mark.filterwarnings("ignore:.*BasePredictor is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("heading", "code"), EXAMPLES, ids=[heading for heading, _ in EXAMPLES])
def test_an_example_runs(
    heading: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("example")
    monkeypatch.setattr("cog.coder._coders", [])
    monkeypatch.setitem(sys.modules, "example", module)
    exec(compile(code, f"{PAGE}: {heading}", "exec"), module.__dict__)


@pytest.mark.parametrize("name", sorted({*cog.__all__, "Coder", "emit_metric"}))
def test_every_name_is_in_an_example(name: str) -> None:
    assert any(re.search(rf"\b{name}\b", code) for _, code in EXAMPLES)


@pytest.mark.parametrize("name", sorted(cog.__all__))
def test_every_name_has_its_section(name: str) -> None:
    assert re.search(rf"^## `?{name}`?$", TEXT, re.M)
