from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.build.errors import LockError, NoWheelError
from cogworks.build.lock import LockedSource, LockedWheel, pinned_hashes, read_lock
from cogworks.build.target import Target
from cogworks.oci.platform import parse_platform

AMD64 = Target((3, 12), parse_platform("linux/amd64"), (2, 36))
ARM64 = Target((3, 12), parse_platform("linux/arm64"), (2, 36))
SHA = "a" * 64


def lock(*wheels: str, extra: str = "", name: str = "pixel") -> str:
    listed = ", ".join(
        f'{{ url = "https://index.example/{one}", hashes = {{ sha256 = "{SHA}" }} }}'
        for one in wheels
    )
    given = f"wheels = [{listed}]" if wheels else ""
    return (
        'lock-version = "1.0"\ncreated-by = "tests"\n\n[[packages]]\n'
        f'name = "{name}"\nversion = "1.0"\n{given}\n{extra}\n'
    )


def choose(text: str, target: Target = AMD64, **options: object) -> list[str]:
    found = read_lock(text, Path("/lock"), target, **options)  # type: ignore[arg-type]
    assert found.sources == ()
    return [one.filename for one in found.wheels]


MANYLINUX = [
    "pixel-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "pixel-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "pixel-1.0-cp312-cp312-manylinux_2_28_aarch64.whl",
    "pixel-1.0-cp312-cp312-musllinux_1_2_x86_64.whl",
    "pixel-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    "pixel-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    "pixel-1.0-py3-none-any.whl",
]


NEWER = "pixel-1.0-cp312-cp312-manylinux_2_39_x86_64.whl"


def test_the_wheel_is_chosen_for_the_target_and_not_for_this_machine() -> None:
    assert choose(lock(*MANYLINUX)) == [MANYLINUX[1]]
    assert choose(lock(*MANYLINUX), ARM64) == [MANYLINUX[2]]


def test_the_order_of_the_lock_does_not_count() -> None:
    assert choose(lock(*MANYLINUX[::-1])) == [MANYLINUX[1]]


def test_an_older_base_gets_an_older_wheel() -> None:
    assert choose(lock(*MANYLINUX), Target((3, 12), AMD64.platform, (2, 24))) == [MANYLINUX[0]]


def test_stable_and_pure_wheels_fit_newer_pythons() -> None:
    stable = "pixel-1.0-cp39-abi3-manylinux_2_17_x86_64.whl"
    assert choose(lock(stable)) == [stable]
    assert choose(lock(MANYLINUX[-1])) == [MANYLINUX[-1]]


def test_a_too_old_glibc_is_named_with_both_numbers() -> None:
    text = lock(NEWER)
    with pytest.raises(
        NoWheelError, match=r"pixel 1\.0 has no wheel for Python 3\.12 on linux/amd64.*"
    ):
        choose(text)
    with pytest.raises(NoWheelError, match=r"need glibc 2\.39, and the base image has 2\.36"):
        choose(text)


def test_wheels_for_other_machines_are_listed() -> None:
    with pytest.raises(NoWheelError, match="there are wheels for cp312-cp312-macosx_11_0_arm64"):
        choose(lock(MANYLINUX[4]))


SDIST = f'sdist = {{ url = "https://x.example/pixel-1.0.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}'


def source(text: str, **options: object) -> LockedSource:
    found = read_lock(text, Path("/lock"), AMD64, **options)  # type: ignore[arg-type]
    assert found.wheels == ()
    (one,) = found.sources
    return one


def test_a_package_that_is_source_only_has_a_source_and_the_error_for_it() -> None:
    found = source(lock(extra=SDIST))
    assert found.archive is not None
    assert (found.name, found.title) == ("pixel", "pixel 1.0")
    assert found.archive.filename == "pixel-1.0.tar.gz"
    assert found.archive.url == "https://x.example/pixel-1.0.tar.gz"
    assert str(found.no_wheel(AMD64)).startswith(
        "pixel 1.0 has no wheel for Python 3.12 on linux/amd64 (glibc 2.36): it comes as source only"
    )


def test_a_source_serves_where_the_wheels_are_for_others() -> None:
    assert "macosx" in source(lock(MANYLINUX[4], extra=SDIST)).why
    assert "glibc 2.39" in source(lock(NEWER, extra=SDIST)).why
    assert choose(lock(MANYLINUX[0], extra=SDIST)) == [MANYLINUX[0]]


def test_a_source_needs_a_hash_that_its_author_allows() -> None:
    assert source(lock(extra=SDIST), pinned={"pixel": frozenset({SHA})}).archive is not None
    with pytest.raises(NoWheelError, match="source only"):
        source(lock(extra=SDIST), pinned={"pixel": frozenset({"b" * 64})})


def test_archives_and_repositories_are_sources() -> None:
    archive = f'archive = {{ path = "pixel.zip", hashes = {{ sha256 = "{SHA}" }} }}'
    found = source(lock(extra=archive))
    assert found.archive is not None
    assert (found.archive.path, found.archive.filename) == (Path("/lock/pixel.zip"), "pixel.zip")
    commit = "c" * 40
    vcs = (
        f'vcs = {{ type = "git", url = "https://x.example/p.git", commit-id = "{commit}", '
        'subdirectory = "python" }'
    )
    found = source(lock(extra=vcs))
    assert found.archive is None
    assert (found.repository, found.commit) == ("https://x.example/p.git", commit)
    assert found.subdirectory == "python"


def test_folders_are_sources(tmp_path: Path) -> None:
    entry = 'directory = { path = "../lib", editable = true }'
    found = read_lock(lock(extra=entry), tmp_path / "locks", AMD64).sources[0]
    assert (found.archive, found.folder) == (None, tmp_path / "lib")


def test_packages_for_other_systems_are_left_out() -> None:
    assert choose(lock(MANYLINUX[0], extra="marker = \"sys_platform == 'win32'\"")) == []
    assert choose(lock(MANYLINUX[0], extra="marker = \"python_version >= '3.12'\"")) == [
        MANYLINUX[0]
    ]
    assert choose(lock(MANYLINUX[0], extra="marker = \"platform_machine == 'aarch64'\"")) == []


@pytest.mark.parametrize("name", ["cog", "coglet"])
def test_our_own_packages_are_left_out(name: str) -> None:
    assert choose(lock(f"{name}-1.0-py3-none-any.whl", name=name)) == []


def test_a_local_wheel_lies_relative_to_the_lock() -> None:
    archive = (
        f'archive = {{ path = "../w/pixel-1.0-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}'
    )
    (found,) = read_lock(lock(extra=archive), Path("/lock"), AMD64).wheels
    assert isinstance(found, LockedWheel)
    assert (found.path, found.url) == (Path("/lock/../w/pixel-1.0-py3-none-any.whl"), None)


def test_hashes_of_the_author_decide() -> None:
    allowed = {"pixel": frozenset({"b" * 64})}
    with pytest.raises(NoWheelError, match="a hash that the requirements allow"):
        choose(lock(*MANYLINUX), pinned=allowed)
    assert choose(lock(*MANYLINUX), pinned={"pixel": frozenset({SHA})}) == [MANYLINUX[1]]


def test_hashes_are_read_from_requirement_lines() -> None:
    lines = [f"Pixel_X[a]==1.0 --hash=sha256:{SHA} --hash=sha256:{'b' * 64}", "other>=2"]
    assert pinned_hashes(lines) == {"pixel-x": frozenset({SHA, "b" * 64})}


@pytest.mark.parametrize(
    "text", ["", "x = [", 'lock-version = "9.0"\ncreated-by = "x"\npackages = []']
)
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(LockError, match=r"The lock is not a pylock\.toml"):
        choose(text)


def test_other_platforms_are_refused() -> None:
    with pytest.raises(LockError, match="not for windows/amd64"):
        Target((3, 12), parse_platform("windows/amd64"))
