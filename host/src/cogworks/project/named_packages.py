"""Which packages some requirement lines name, as far as the choice of CUDA and of an index has to know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_PLAIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?: ?== ?(?P<version>[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.post|\.dev)[0-9]+)?(?:\+[a-z0-9]+)?))?"
)
"""A name, pinned or not, and nothing else: what most lines are. Reading the others takes a library that is slow to load."""
_WITHOUT_HASHES = re.compile(r"\s--hash\b.*$", re.DOTALL)
_ARCHIVE_NAME = re.compile(r"(?:^|/)(?P<name>[A-Za-z0-9._]+)-(?P<version>[0-9][^-/]*)-[^/]*\.whl$")


@dataclass(frozen=True, slots=True)
class NamedPackage:
    """A package that a requirement names.

    Attributes:
        name: as indexes normalize it.
        version: what it is pinned to by ``==``, with its suffix: ``2.5.1+cu121``; None if it is not.
        is_located: it comes from a URL or a file, and from no index.
        has_hashes: its author says which files may be used.
    """

    name: str
    version: str | None = None
    extras: frozenset[str] = frozenset()
    is_located: bool = False
    has_hashes: bool = False


def named_packages(
    lines: Iterable[str], python: tuple[int, int], machine: str = "x86_64"
) -> dict[str, NamedPackage]:
    """Return the packages by name; lines whose marker is not for this Linux are left out.

    Options, and what is no requirement, are passed over: whoever resolves the lines says what is wrong with them.

    Args:
        python: that of the image.
        machine: its architecture as wheels name it.
    """
    found: dict[str, NamedPackage] = {}
    environment = _marker_environment(python, machine)
    for line in lines:
        package = _named_package(line.strip(), environment)
        if package is not None:
            found[package.name] = _merged(found.get(package.name), package)
    return found


def _named_package(line: str, environment: Mapping[str, str]) -> NamedPackage | None:
    if line.startswith("-"):
        return None
    plain = _PLAIN.fullmatch(line)
    if plain is not None:
        return NamedPackage(_normalized(plain["name"]), plain["version"])
    from packaging.requirements import InvalidRequirement, Requirement

    archive = _ARCHIVE_NAME.search(line.partition("#")[0].partition(";")[0].strip())
    bare = _WITHOUT_HASHES.sub("", line)
    try:
        requirement = Requirement(bare)
    except InvalidRequirement:
        return _archived(archive, frozenset()) if archive else None
    if not _is_meant(requirement, environment):
        return None
    if requirement.url is not None and archive:
        return _archived(archive, _extras(requirement), requirement.name)
    pins = [one for one in requirement.specifier if one.operator in ("==", "===")]
    version = pins[0].version if len(pins) == 1 and "*" not in pins[0].version else None
    return NamedPackage(
        _normalized(requirement.name),
        version,
        _extras(requirement),
        requirement.url is not None,
        bare != line,
    )


def _is_meant(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Tell whether a requirement is for the image; one whose marker makes no sense may be."""
    if requirement.marker is None:
        return True
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.version import InvalidVersion

    try:
        return requirement.marker.evaluate(dict(environment))
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return True


def _archived(
    archive: re.Match[str], extras: frozenset[str], name: str | None = None
) -> NamedPackage:
    """Return the package of a wheel, whose name tells its version; in a URL the plus may be escaped."""
    version = archive["version"].replace("%2B", "+").replace("%2b", "+")
    return NamedPackage(_normalized(name or archive["name"]), version, extras, True)


def _normalized(name: str) -> str:
    """Return a name as indexes have it; source: the specification "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _extras(requirement: Requirement) -> frozenset[str]:
    return frozenset(_normalized(extra) for extra in requirement.extras)


def _merged(before: NamedPackage | None, package: NamedPackage) -> NamedPackage:
    """Return what two requirements on one package come to."""
    if before is None:
        return package
    return NamedPackage(
        package.name,
        before.version or package.version,
        before.extras | package.extras,
        before.is_located or package.is_located,
        before.has_hashes or package.has_hashes,
    )


def _marker_environment(python: tuple[int, int], machine: str) -> dict[str, str]:
    version = ".".join(map(str, python))
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
        "extra": "",
    }
