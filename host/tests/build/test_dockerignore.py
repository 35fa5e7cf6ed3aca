from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogworks.build.dockerignore import parse_dockerignore
from cogworks.build.errors import DockerignoreError


@pytest.mark.parametrize(
    ("text", "excluded", "included"),
    [
        ("secret", ["secret", "secret/a/b"], ["a/secret", "secrets"]),
        ("/secret", ["secret"], ["a/secret"]),
        ("secret/", ["secret", "secret/a"], ["a/secret"]),
        ("./a/../b", ["b", "b/c"], ["a"]),
        ("*.log", ["x.log", ".log", "x.log/y"], ["a/x.log", "x.log2"]),
        ("*/temp*", ["a/temp", "a/temp2/b"], ["temp", "a/b/temp"]),
        ("**/temp", ["temp", "a/temp", "a/b/temp", "a/temp/x"], ["atemp", "a/temp2"]),
        ("**/*.go", ["x.go", "a/b/x.go"], ["x.goo"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["az", "a/bz"]),
        ("**", ["a", "a/b", ".x"], []),
        ("temp?", ["temp1", "tempa/b"], ["temp", "temp12", "temp/"]),
        ("a[0-9]b", ["a1b"], ["axb", "ab"]),
        ("a[^0-9]", ["ax"], ["a1", "a"]),
        (r"a\*b", ["a*b"], ["axb"]),
        (r"\#x", ["#x"], ["x"]),
        ("#x", [], ["#x", "x"]),
        ("  a  \n\n\t\n", ["a"], ["b"]),
        ("\ufeffa", ["a"], []),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)", "a.bb(c)"]),
        ("*\n!keep", ["a", "a/keep"], ["keep", "keep/x"]),
        ("data\n!data/keep.txt", ["data", "data/x"], ["data/keep.txt"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]),
        ("!a\na", ["a"], []),
        (".", [], ["a", "a/b"]),
    ],
)
def test_patterns_mean_what_they_mean_for_docker(
    text: str, excluded: list[str], included: list[str]
) -> None:
    ignore = parse_dockerignore(text)
    assert [path for path in excluded if not ignore.excludes(path)] == []
    assert [path for path in included if ignore.excludes(path)] == []


def test_windows_line_ends_do_not_count() -> None:
    assert parse_dockerignore("a\r\nb\r\n").excludes("a")


@pytest.mark.parametrize("line", ["a[", "a[]", "[z-a]", "[-a]", "a\\", "!", "[a-"])
def test_a_line_that_is_no_pattern_is_named_with_its_number(line: str) -> None:
    with pytest.raises(DockerignoreError, match=r"^\.dockerignore:2: "):
        parse_dockerignore(f"fine\n{line}\n")


def test_too_many_lines_are_refused_with_the_number() -> None:
    with pytest.raises(DockerignoreError, match="10000"):
        parse_dockerignore("a\n" * 10_001)


NAMES = st.text(alphabet="ab.*?[]^-!\\# /", min_size=1, max_size=12)
PATHS = st.lists(st.text(alphabet="ab.x-", min_size=1, max_size=4), min_size=1, max_size=4).map(
    "/".join
)


@given(st.lists(NAMES, max_size=5), PATHS)
@example(["**", "!a"], "a/b")
def test_any_text_is_a_list_of_patterns_or_a_clear_error(lines: list[str], path: str) -> None:
    told = ""
    try:
        parse_dockerignore("\n".join(lines)).excludes(path)
    except DockerignoreError as error:
        told = str(error)
    assert not told or re.match(r"\.dockerignore:\d+: ", told)


@given(st.lists(PATHS, max_size=4), PATHS, PATHS)
def test_without_exceptions_all_below_an_excluded_folder_is_excluded(
    lines: list[str], folder: str, name: str
) -> None:
    ignore = parse_dockerignore("\n".join(lines))
    if ignore.excludes(folder):
        assert ignore.excludes(f"{folder}/{name}")


@given(PATHS, PATHS)
def test_a_plain_line_excludes_itself_and_what_is_below_and_nothing_else(
    line: str, path: str
) -> None:
    parts = line.split("/")
    if any(part in (".", "..") for part in parts):
        return
    expected = path == line or path.startswith(f"{line}/")
    assert parse_dockerignore(line).excludes(path) == expected


@given(st.lists(PATHS, max_size=4), PATHS)
def test_the_last_line_decides(lines: list[str], path: str) -> None:
    if any(part in (".", "..") for part in path.split("/")):
        return
    assert parse_dockerignore("\n".join([*lines, path])).excludes(path)
    assert not parse_dockerignore("\n".join([*lines, f"!{path}"])).excludes(path)
