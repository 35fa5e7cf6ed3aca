"""One version for both distributions, written in five places that may not drift."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import cog._version
import cogworks._version
from scripts._suites import SDK_PYTHONS


@pytest.fixture
def version(root: Path) -> str:
    return (root / "VERSION").read_text(encoding="utf-8").strip()


def project(root: Path, distribution: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(
        (root / distribution / "pyproject.toml").read_text(encoding="utf-8")
    )["project"]
    return table


def test_both_packages_carry_the_version(version: str) -> None:
    assert (cog._version.__version__, cogworks._version.__version__) == (version, version)


def test_the_host_requires_exactly_its_own_sdk(root: Path, version: str) -> None:
    dependencies: list[str] = project(root, "host")["dependencies"]
    sdk = [dependency for dependency in dependencies if dependency.startswith("cogworks-sdk")]
    assert sdk == [f"cogworks-sdk=={version}"]


def test_the_changelog_starts_with_the_version(root: Path, version: str) -> None:
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[?(\d[^\s\]]*)", changelog, flags=re.MULTILINE)
    assert heads[:1] == [version]


def test_a_tag_on_this_commit_is_the_version(root: Path, version: str) -> None:
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v[0-9]*"]
    tags = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    assert set(tags.split()) <= {f"v{version}"}


@pytest.mark.parametrize(("distribution", "oldest"), [("sdk", "3.9"), ("host", "3.11")])
def test_classifiers_name_the_pythons_that_the_tests_run(
    root: Path, distribution: str, oldest: str
) -> None:
    table = project(root, distribution)
    classifiers: list[str] = table["classifiers"]
    prefix = "Programming Language :: Python :: 3."
    named = [f"3.{text.removeprefix(prefix)}" for text in classifiers if text.startswith(prefix)]
    assert named == list(SDK_PYTHONS[SDK_PYTHONS.index(oldest) :])
    assert table["requires-python"] == f">={oldest}"


def test_the_sdk_has_no_dependencies(root: Path) -> None:
    table = project(root, "sdk")
    assert table["dependencies"] == []
    assert "optional-dependencies" not in table


@pytest.mark.parametrize("distribution", ["sdk", "host"])
def test_each_distribution_carries_the_licence(root: Path, distribution: str) -> None:
    assert (root / distribution / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()
