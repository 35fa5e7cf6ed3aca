"""Requirements files: what is handed on, what is followed, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.project.errors import RequirementsError
from cogworks.project.requirements import (
    RequirementFiles,
    Requirements,
    logical_lines,
    parse_packages,
    parse_requirements,
)

HOME = Path("/project")
MAIN = HOME / "requirements.txt"


class Texts(RequirementFiles, Protocol):
    texts: dict[Path, str]
    links: dict[Path, Path]


def parse(files: Texts, text: str) -> Requirements:
    files.texts[MAIN] = text
    return parse_requirements(MAIN, HOME, files)


def problems(files: Texts, text: str) -> list[str]:
    with pytest.raises(RequirementsError) as caught:
        parse(files, text)
    return str(caught.value).splitlines()


def test_comments_blank_lines_and_the_project_itself_are_removed(files: Texts) -> None:
    text = "# first\n\nsix  # inline\n-e .\n--editable=.\n-e ./\nidna==3.10#no-comment\n"
    assert parse(files, text).lines == ("six", "idna==3.10#no-comment")


def test_continuations_are_joined_and_windows_line_ends_taken(files: Texts) -> None:
    assert parse(files, "six \\\r\n  >=1\r\nidna\r\n").lines == ("six   >=1", "idna")


def test_a_logical_line_has_the_number_of_its_first_line() -> None:
    assert list(logical_lines("a\\\nb\n# c \\\nd \\\n")) == [(1, "ab"), (4, "d")]


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy>=1,<3 ; python_version < '3.12'",
        "uvicorn[standard]==0.30",
        "thing @ https://example.com/thing-1.0.zip",
        "thing @ git+https://example.com/thing.git@main",
        "git+https://example.com/thing.git#egg=thing",
        "https://example.com/thing-1.0-py3-none-any.whl",
        "-e git+https://example.com/thing.git#egg=thing",
        "cogs==1.0",
        "cog-utils",
        "pip==24.0",
    ],
)
def test_what_a_registry_or_a_url_provides_is_handed_on_as_it_is(files: Texts, line: str) -> None:
    assert parse(files, line).lines == (line,)


@pytest.mark.parametrize(
    "line",
    [
        *("cog", "cog==0.9.0", "Cog>=0.10 ; python_version > '3'", "coglet==0.1.0", "cog[x]"),
        *("cog @ https://example.com/cog.whl", "cog @ git+https://example.com/cog.git"),
    ],
)
def test_our_own_packages_are_left_out_with_a_notice(files: Texts, line: str) -> None:
    requirements = parse(files, f"six\n{line}\n")
    assert requirements.lines == ("six",)
    (notice,) = requirements.notices
    assert notice.startswith("requirements.txt:2: ")
    assert notice.endswith("is left out: Cogworks brings its own `cog` package")


def test_index_options_come_first_and_once(files: Texts) -> None:
    text = """\
-i https://a.example/simple
six==1.0 --extra-index-url https://b.example/simple
--extra-index-url=https://b.example/simple
--find-links https://c.example/wheels
--no-index
--no-binary :all:
"""
    requirements = parse(files, text)
    assert requirements.lines == ("six==1.0",)
    assert requirements.options == (
        "--index-url https://a.example/simple",
        "--extra-index-url https://b.example/simple",
        "--find-links https://c.example/wheels",
        "--no-index",
        "--no-binary :all:",
    )


def test_options_of_pip_that_the_resolver_has_under_another_name_are_translated(
    files: Texts,
) -> None:
    text = "--pre\n--trusted-host pkgs.example\n--require-hashes\n--prefer-binary\nsix\n"
    requirements = parse(files, text)
    assert requirements.switches == (
        "--prerelease=allow",
        "--allow-insecure-host=pkgs.example",
        "--require-hashes",
    )
    assert requirements.has_hashes


def test_a_hash_stays_with_its_requirement(files: Texts) -> None:
    line = "six==1.0 --hash=sha256:00"
    assert parse(files, line).lines == (line,)
    assert parse(files, line).has_hashes
    assert not parse(files, "six").has_hashes


def test_includes_inside_the_project_are_followed_once(files: Texts) -> None:
    files.texts[HOME / "more" / "a.txt"] = "six\n-r ../requirements.txt\n-r b.txt\n"
    files.texts[HOME / "more" / "b.txt"] = "idna\n"
    text = "-r more/a.txt\nattrs\n--requirement=more/b.txt\n-rmore/b.txt\n"
    assert parse(files, text).lines == ("six", "idna", "attrs")


def test_problems_of_an_include_name_its_file(files: Texts) -> None:
    files.texts[HOME / "more" / "a.txt"] = "six\nfile:///x\n"
    reason = '"file:///x": file: URLs are not supported; write the path of the archive'
    assert problems(files, "-r more/a.txt\n") == [f"more/a.txt:2: {reason}"]


def test_a_constraints_file_is_named_by_its_path_and_counts_as_content(files: Texts) -> None:
    files.texts[HOME / "constraints.txt"] = "six<2\n"
    requirements = parse(files, "-c constraints.txt\nsix\n")
    assert requirements.lines == ("--constraint /project/constraints.txt", "six")
    assert requirements.artifacts == (HOME / "constraints.txt",)


def test_remote_includes_are_handed_on(files: Texts) -> None:
    url = "https://example.com/r.txt"
    lines = (f"--requirement {url}", f"--constraint {url}")
    assert parse(files, f"-r {url}\n-c {url}\n").lines == lines


@pytest.mark.parametrize("name", ["a b-1.0.whl", "x.zip", "x.tar.gz", "x.TGZ", "x.tar.bz2"])
def test_a_local_archive_is_named_by_its_path_and_counts_as_content(
    files: Texts, name: str
) -> None:
    files.texts[HOME / "wheels" / name] = ""
    requirements = parse(files, f"./wheels/{name}  # ours\n")
    assert requirements.lines == (f"/project/wheels/{name}",)
    assert requirements.artifacts == (HOME / "wheels" / name,)


def test_a_local_archive_of_our_own_package_is_left_out(files: Texts) -> None:
    files.texts[HOME / "cog-0.9.0-py3-none-any.whl"] = ""
    requirements = parse(files, "cog-0.9.0-py3-none-any.whl\n")
    assert (requirements.lines, len(requirements.notices)) == ((), 1)


LOCAL = "options, hashes, markers and extras are not supported on a local archive"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("file:///a/b.whl", "file: URLs are not supported; write the path of the archive"),
        ("a @ file:///a/b.whl", "file: URLs are not supported; write the path of the archive"),
        ("a @ ./b.whl", "a local path needs a line of its own, without a name"),
        ("./no.whl", "file does not exist"),
        ("../outside.whl", "must be inside the project directory"),
        ("link.whl", "must be inside the project directory"),
        ("here.whl ; python_version < '3'", LOCAL),
        ("here.whl[extra]", LOCAL),
        ("here.whl --hash=sha256:00", LOCAL),
        (".", "a directory cannot be installed; build a wheel of it"),
        ("./package", "a directory cannot be installed; build a wheel of it"),
        ("/package", "a directory cannot be installed; build a wheel of it"),
        ("package/", "a directory cannot be installed; build a wheel of it"),
        ("libs/package[extra]", "a directory cannot be installed; build a wheel of it"),
        ("-e ./package", "only `-e .` is supported; the project is importable without it"),
        ("-r no.txt", "file does not exist"),
        ("-r", "file does not exist"),
        ("-c ../outside.txt", "must be inside the project directory"),
        ("-f ./wheels", "a local --find-links folder cannot be taken into an image"),
        ("six --find-links ./wheels", "a local --find-links folder cannot be taken into an image"),
        ("--install-option x", "this option has no meaning here"),
        ("-", "this option has no meaning here"),
    ],
)
def test_what_cannot_be_taken_along_is_refused(files: Texts, line: str, reason: str) -> None:
    files.texts[HOME / "here.whl"] = ""
    files.texts[Path("/outside.whl")] = ""
    files.texts[Path("/outside.txt")] = ""
    files.links[HOME / "link.whl"] = Path("/outside.whl")
    (problem,) = problems(files, f"six\n{line}\n")
    assert problem.startswith("requirements.txt:2: ")
    assert problem.endswith(f": {reason}")


def test_all_problems_come_at_once(files: Texts) -> None:
    assert len(problems(files, "file:a\nsix\n./no.whl\n")) == 2


def test_credentials_are_hidden_in_problems(files: Texts) -> None:
    (problem,) = problems(files, "--proxy https://user:hunter2@example.com\n")
    assert "hunter2" not in problem
    assert "https://***@example.com" in problem


def test_a_file_that_is_not_text_is_one_problem(files: Texts) -> None:
    with pytest.raises(RequirementsError, match=r"^requirements.txt:1: the file cannot be read$"):
        parse_requirements(MAIN, HOME, files)


def test_packages_of_the_configuration_follow_the_same_rules() -> None:
    requirements = parse_packages(("six==1.0", "cog==0.9"), "cog.yaml", HOME)
    assert requirements.lines == ("six==1.0",)
    assert requirements.notices[0].startswith("cog.yaml:2: ")
    with pytest.raises(RequirementsError, match="file does not exist"):
        parse_packages(("./a.whl",), "cog.yaml", HOME)


PIECES = st.sampled_from(
    [
        *("six", "cog", "==1", "-r ", "-e", "-", "--", "@", " @ ", "file:", "./", ".whl", "/", ";"),
        *("\\", "\n", "\r\n", "#", " #", "=", "https://", "git+", "[", "]", " --hash=", "a.zip"),
        *("--extra-index-url ", "--find-links=", "\x00", "é"),
    ]
)


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_any_text_is_requirements_or_a_list_of_problems(text: str) -> None:
    try:
        requirements = parse_packages((text,), "cog.yaml", HOME)
    except RequirementsError:
        return
    assert all(line.strip() for line in requirements.lines)
