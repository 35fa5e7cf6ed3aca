"""The documentation holds together: links lead somewhere, every page can be found, named commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cog

FENCE = re.compile(r"^(```|~~~).*?^\1", flags=re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", flags=re.MULTILINE)


@pytest.fixture(scope="session")
def pages(tracked_files: list[Path], root: Path) -> list[Path]:
    """Every page that a reader may open; what is inside examples and fixtures counts too."""
    return [file for file in tracked_files if file.suffix == ".md"]


def links_of(page: Path) -> Iterator[str]:
    prose = CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    for match in LINK.finditer(prose):
        yield match.group(1) or match.group(2)


def is_outside(link: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]*:", link) is not None


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the common renderers form them."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in HEADING.findall(prose):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        repeated = sum(1 for anchor in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", anchor))
        found.add(f"{slug}-{repeated}" if repeated else slug)
    return found


def problem_of(page: Path, link: str) -> str:
    """Say what is wrong with a link inside the repository; empty if nothing is."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return "leads nowhere"
    if anchor and target.suffix == ".md" and anchor not in anchors_of(target):
        return f"has no heading for #{anchor}"
    return ""


def test_links_inside_the_repository_resolve(pages: list[Path], root: Path) -> None:
    culprits = [
        f"{page.relative_to(root)}: {link} {problem}"
        for page in pages
        for link in links_of(page)
        if not is_outside(link) and (problem := problem_of(page, link))
    ]
    assert "\n".join(culprits) == ""


def test_every_page_can_be_found_from_the_readme_or_the_index(
    pages: list[Path], root: Path
) -> None:
    starts = (root / "README.md", root / "docs" / "README.md")
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in starts
        for link in links_of(page)
    }
    docs = {page for page in pages if root / "docs" in page.parents and page not in starts}
    assert sorted(str(page.relative_to(root)) for page in docs - linked) == []


def test_a_script_that_is_named_exists(pages: list[Path], root: Path) -> None:
    culprits = [
        f"{page.relative_to(root)}: {name}"
        for page in pages
        for name in re.findall(r"(?<![\w/.])scripts/[\w.-]*\w", page.read_text(encoding="utf-8"))
        if not (root / name).exists()
    ]
    assert culprits == []


def test_the_readme_spells_its_two_commands(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    commands = [
        line.strip() for block in FENCE.finditer(readme) for line in block.group().split("\n")
    ]
    assert {"scripts/demo", "scripts/test"} <= set(commands)


def test_generated_parts_are_current(root: Path) -> None:
    command = [sys.executable, "-m", "scripts._generated", "--check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_dead_link_and_a_dead_anchor_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n\n[a](#one-thing) [b](#another) [c](gone.md) `[d](code.md)`\n")
    problems = {link: problem_of(page, link) for link in links_of(page)}
    assert problems == {
        "#one-thing": "",
        "#another": "has no heading for #another",
        "gone.md": "leads nowhere",
    }


def test_the_compatibility_table_has_exactly_the_public_names(root: Path) -> None:
    page = (root / "docs" / "compat.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", page, flags=re.MULTILINE))
    assert sorted(name for name, marked in rows.items() if marked == "yes") == sorted(cog.__all__)
    missing = [name for name in rows if not hasattr(cog, name)]
    assert missing == []


def test_the_architecture_has_a_row_for_every_layer(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    base = root / "host" / "src" / "cogworks"
    layers = {f"cogworks.{path.parent.name}" for path in base.glob("*/__init__.py")}
    assert sorted(layer for layer in layers if f"| `{layer}` |" not in page) == []
