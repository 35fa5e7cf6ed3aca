"""The list of the server's packages in an image fits what the host requires; `scripts/lock` writes it."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.version import Version

from cogworks.build.server_layer import INIT, PACKAGES
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
