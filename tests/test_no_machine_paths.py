"""Nothing in the repository names the machine that it was written on, or where that machine got its packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# Spelled in parts, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:ro" + r"ot|wo" + r"rk|fa" + r"rm|home/[a-z]+)/")
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb.deb" + "ian.org")
REGISTRY_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)*(?:" + "|".join(map(re.escape, HOSTS)) + r")\b")


def culprits(pattern: re.Pattern[str], files: list[Path], root: Path) -> Iterator[str]:
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a weights file
        for number, line in enumerate(text.splitlines(), 1):
            if found := pattern.search(line):
                yield f"{file.relative_to(root)}:{number}: {found.group().strip()}"


def test_no_file_names_a_path_of_one_machine(tracked_files: list[Path], root: Path) -> None:
    assert "\n".join(culprits(MACHINE_PATH, tracked_files, root)) == ""


def test_no_file_names_the_host_of_a_package_registry(
    tracked_files: list[Path], root: Path
) -> None:
    assert "\n".join(culprits(REGISTRY_HOST, tracked_files, root)) == ""


@pytest.mark.parametrize("path", ["/ro" + "ot/x", "see /ho" + "me/ann/x", '"/wo' + 'rk/main"'])
def test_a_machine_path_is_seen(path: str) -> None:
    assert MACHINE_PATH.search(path)


@pytest.mark.parametrize("path", ["/src/x", "./ro" + "ot/x", "https://a.example/wo" + "rk/"])
def test_other_paths_pass(path: str) -> None:
    assert not MACHINE_PATH.search(path)
