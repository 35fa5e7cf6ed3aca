"""Rules of house style that a machine can see: sizes, file names, the environment, to-dos."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

MOST_LINES = 400
NOTE = "Longer than 400 lines"
"""A module above the limit says at its top why; the note starts with these words."""

NAMELESS = {"base.py", "common.py", "helper.py", "helpers.py", "misc.py", "util.py", "utils.py"}

MAY_READ_ENVIRONMENT = (
    "cog/_worker/main.py",
    "cogworks/cli/",
    "cogworks/server/__main__.py",  # an entry: hands the environment to Settings
    "cogworks/server/settings.py",
)


@pytest.fixture(scope="session")
def sources(tracked_files: list[Path], root: Path) -> list[Path]:
    trees = (root / "sdk" / "src", root / "host" / "src")
    return [
        file
        for file in tracked_files
        if file.suffix == ".py" and any(tree in file.parents for tree in trees)
    ]


def test_a_long_module_says_at_its_top_why(sources: list[Path], root: Path) -> None:
    culprits: list[str] = []
    for file in sources:
        text = file.read_text(encoding="utf-8")
        count = text.count("\n")
        if count > MOST_LINES and NOTE not in (ast.get_docstring(ast.parse(text)) or ""):
            culprits.append(f"{file.relative_to(root)}: {count} lines and no note `{NOTE} because`")
    assert "\n".join(culprits) == ""


def test_a_file_is_named_after_its_noun(sources: list[Path], root: Path) -> None:
    assert [str(file.relative_to(root)) for file in sources if file.name in NAMELESS] == []


def test_the_environment_is_read_in_the_settings_layer_only(
    sources: list[Path], root: Path
) -> None:
    culprits: list[str] = []
    for file in sources:
        name = file.relative_to(root).as_posix().partition("/src/")[2]
        if not name.startswith(MAY_READ_ENVIRONMENT):
            lines = environment_reads(file.read_text(encoding="utf-8"))
            culprits += [f"{file.relative_to(root)}:{line}" for line in lines]
    assert "\n".join(culprits) == ""


def environment_reads(text: str) -> list[int]:
    """Return the lines that use ``os.environ`` or ``os.getenv``, also when they are imported by name."""
    lines: list[int] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            names = {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names}
        else:
            continue
        if names & {"environ", "environb", "getenv"}:
            lines.append(node.lineno)
    return lines


def test_reads_of_the_environment_are_seen() -> None:
    assert environment_reads("import os\nx = os.environ['A']\ny = os.getenv('B')\n") == [2, 3]
    assert environment_reads("from os import environ\n") == [1]


def test_a_to_do_names_its_issue(tracked_files: list[Path], root: Path) -> None:
    # Spelled in two parts, so that this file does not find itself.
    pattern = re.compile(r"\b(?:TO" + r"DO(?!\(#\d+\):)|FIX" + r"ME|XX" + r"X)\b")
    culprits = [
        f"{file.relative_to(root)}:{number}: {line.strip()}"
        for file in tracked_files
        if file.suffix == ".py"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert "\n".join(culprits) == ""


def test_a_skipped_test_says_why(tracked_files: list[Path], root: Path) -> None:
    pattern = re.compile(r"@pytest\.mark\.(?:skip|xfail)\s*(?:\(\s*\))?\s*$")
    culprits = [
        f"{file.relative_to(root)}:{number}"
        for file in tracked_files
        if file.suffix == ".py" and "tests" in file.parts
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert "\n".join(culprits) == ""
