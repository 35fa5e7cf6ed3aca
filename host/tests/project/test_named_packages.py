"""What requirement lines name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.project.named_packages import NamedPackage, named_packages


def named(*lines: str, python: tuple[int, int] = (3, 11)) -> dict[str, NamedPackage]:
    return named_packages(lines, python)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("torch==2.5.1", "2.5.1"),
        ("torch == 2.5.1+cu121", "2.5.1+cu121"),
        ("torch===2.5.1", "2.5.1"),
        ("Torch>=2,==2.5.1", "2.5.1"),
        ("torch==2.5.*", None),
        ("torch>=2.5", None),
        ("torch", None),
        ("torch[opt-einsum]==2.5.1 ; python_version >= '3.9'", "2.5.1"),
        ("torch==2.5.1 --hash=sha256:aa --hash=sha256:bb", "2.5.1"),
        ("https://x.example/torch-2.5.1%2Bcu121-cp311-cp311-linux_x86_64.whl", "2.5.1+cu121"),
        ("torch @ https://x.example/torch-2.5.1-cp311-cp311-linux_x86_64.whl#sha256=a", "2.5.1"),
        ("/project/wheels/torch-2.5.1+cpu-cp311-cp311-linux_x86_64.whl", "2.5.1+cpu"),
        ("torch @ git+https://x.example/torch.git", None),
    ],
)
def test_a_package_and_its_pin(line: str, version: str | None) -> None:
    (package,) = named(line).values()
    assert (package.name, package.version) == ("torch", version)
    assert package.is_located == ("://" in line or line.startswith("/"))
    assert package.has_hashes == ("--hash" in line)


@pytest.mark.parametrize(
    "line", ["", "-r https://x.example/r.txt", "--pre", "what is this?", "-e git+https://x/y.git"]
)
def test_what_names_no_package_is_passed_over(line: str) -> None:
    assert named(line) == {}


def test_markers_are_those_of_the_image() -> None:
    lines = [
        "torch==2.0.0 ; sys_platform == 'darwin'",
        "torch==2.0.1+cu118 ; sys_platform == 'linux'",
        "tensorflow==2.15.0 ; python_version < '3.11'",
    ]
    assert named(*lines)["torch"].version == "2.0.1+cu118"
    assert "tensorflow" not in named(*lines)
    assert "tensorflow" in named(*lines, python=(3, 10))


def test_a_marker_that_makes_no_sense_may_be_meant() -> None:
    assert "torch" in named("torch ; python_version ~= 'x'", "six ; os_name ~= '1.0'")


def test_several_lines_on_one_package_come_together() -> None:
    package = named("tensorflow[and-cuda]", "tensorflow==2.15.0", "tensorflow[x]>2")["tensorflow"]
    assert package == NamedPackage("tensorflow", "2.15.0", frozenset({"and-cuda", "x"}))


def test_extras_are_normalized() -> None:
    assert named("jax[cuda12_pip]")["jax"].extras == {"cuda12-pip"}


@given(st.text(max_size=60))
def test_any_line_is_read_without_an_error(line: str) -> None:
    for name, package in named(line).items():
        assert package.name == name


VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(\+cu[0-9]{3})?", fullmatch=True)


@given(VERSIONS, st.sampled_from(["", " ", "  # a", " ; python_version > '3'"]))
def test_every_pin_is_found(version: str, end: str) -> None:
    line = f"torch=={version}{end}".partition("#")[0]
    assert named(line)["torch"].version == version


@given(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.one_of(st.none(), VERSIONS),
)
def test_a_plain_line_is_read_as_the_library_reads_it(name: str, version: str | None) -> None:
    line = name if version is None else f"{name}=={version}"
    found = named_packages([line], (3, 11))
    # A space before the end makes a marker possible, so the library reads it.
    assert found == named_packages([f"{line} ; python_version > '3'"], (3, 11))
