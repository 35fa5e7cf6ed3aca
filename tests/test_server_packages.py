"""The list of the server's packages in an image fits what the host requires; `scripts/lock` writes it."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from cogworks.build.cache import Cache
from cogworks.build.lock import read_lock
from cogworks.build.resolve import resolve
from cogworks.build.server_layer import INIT, PACKAGES, TABLE
from cogworks.build.target import Target
from cogworks.oci.platform import parse_platform
from cogworks.project import Build, Project
from host.tests.build.bases import Quiet
from scripts._server_lock import wanted

LINES = PACKAGES.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
PINNED = [line for line in LINES if not line.startswith("#")]


def test_every_package_has_one_version_and_hashes() -> None:
    assert PINNED
    for line in PINNED:
        requirement = Requirement(line.split("--hash")[0])
        assert [one.operator for one in requirement.specifier] == ["=="], line
        assert "--hash=sha256:" in line


def test_the_list_names_no_index() -> None:
    assert "://" not in PACKAGES.read_text(encoding="utf-8")


def test_what_the_server_requires_is_in_the_list_in_a_version_that_fits() -> None:
    versions: dict[str, list[Version]] = {}
    for line in PINNED:
        found = Requirement(line.split("--hash")[0])
        (pin,) = found.specifier
        versions.setdefault(found.name, []).append(Version(pin.version))
    for text in wanted():
        requirement = Requirement(text)
        name = requirement.name.replace(".", "-").replace("_", "-").lower()
        assert name in versions, f"{name} is missing: run scripts/lock"
        assert all(one in requirement.specifier for one in versions[name]), f"{text}: scripts/lock"


def test_the_first_process_of_a_container_is_in_the_list() -> None:
    assert any(line.startswith(Requirement(INIT).name) for line in PINNED)


def test_the_table_has_wheels_of_the_list_and_names_no_index() -> None:
    text = TABLE.read_text(encoding="utf-8")
    listed = set(re.findall(r"sha256:([0-9a-f]{64})", PACKAGES.read_text(encoding="utf-8")))
    found = set(re.findall(r"[0-9a-f]{64}", text))
    assert found
    assert found <= listed, "run scripts/lock"
    assert "://" not in text
    names = {Requirement(line.split("--hash")[0]).name for line in PINNED}
    assert {one["name"] for one in tomllib.loads(text)["packages"]} == names


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("machine", ["amd64", "arm64"])
@pytest.mark.parametrize("minor", [11, 12, 13])
def test_there_is_a_wheel_of_every_package_for_every_python_and_machine(
    tmp_path: Path, minor: int, machine: str
) -> None:
    """A list that was made from a part of an index has the hashes of that part only; the table says the same."""
    project = Project(PACKAGES.parent, PACKAGES, Build(f"3.{minor}", requirements_file=PACKAGES))
    target = Target((3, minor), parse_platform(f"linux/{machine}"))
    found = resolve(
        project,
        target,
        Cache(tmp_path),
        Quiet(),
        python=Path(sys.executable),
        environment=dict(os.environ),
    )
    assert len(found.wheels) >= 15
    told = read_lock(TABLE.read_text(encoding="utf-8"), TABLE.parent, target).wheels
    assert {one.digest: one.filename for one in told} == {
        one.digest: one.filename for one in found.wheels
    }
