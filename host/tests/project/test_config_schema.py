"""The schema for editors and the parser agree, as far as a schema can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cogworks.project.config_schema import config_schema
from cogworks.project.errors import ConfigError
from cogworks.project.key import Key, Kind
from cogworks.project.keys import BY_PATH, KEYS, children_of
from cogworks.project.parse import examine_text, parse_project

from .broken import BROKEN

ROOT = Path(__file__).resolve().parents[3]
PROJECTS = sorted(
    path for top in ("examples", "fixtures") for path in (ROOT / top).rglob("cog.yaml")
)
VALIDATOR = jsonschema_rs.validator_for(config_schema())

ONLY_THE_PARSER_KNOWS = re.compile(
    # Other files and other keys.
    "file does not exist|is already defined|concurrency above 1 needs|compatible CuDNN versions"
    "|weight targets must be disjoint|duplicate weight name|must be a requirements file or a pypr"
    # What a regular expression would not tell.
    "|an id is at most|minimum supported SDK|must be a version such as|a bracket is not closed"
    '|a bracket has no content|nothing follows the backslash|the range .* is empty|must not be "/"'
    # How the text is written; 12.0 is the number 12.
    '|"[0-9]+": must include major and minor'
    "|this key is given twice|indented with a tab|not valid YAML|found the text|in quotes"
)


class AnyFile:
    """Whatever is asked for is there, but no pyproject.toml."""

    def is_file(self, path: Path) -> bool:
        return True

    def has_dependencies(self, pyproject: Path) -> bool:
        return False


def load(text: str) -> Any:
    """Read a text as editors do, by YAML 1.2."""
    # The library types little of what it returns.
    parser: Any = YAML(typ="safe", pure=True)
    return parser.load(text)


def complaints(text: str) -> list[str]:
    examined = examine_text(text, Path("/project/cog.yaml"), AnyFile())
    return [problem.message for problem in examined.problems]


def is_for_the_schema(complaint: str) -> bool:
    return ONLY_THE_PARSER_KNOWS.search(complaint) is None


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_a_project_of_the_repository_is_valid(path: Path) -> None:
    VALIDATOR.validate(load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_what_is_broken_for_the_parser_is_broken_for_editors(text: str, expected: str) -> None:
    if is_for_the_schema(expected):
        assert not VALIDATOR.is_valid(load(text))


def test_most_of_what_is_broken_can_be_told_by_the_schema() -> None:
    assert sum(is_for_the_schema(expected) for _, expected in BROKEN) > len(BROKEN) * 0.6


@pytest.mark.parametrize(
    "text",
    [
        *("", "build:\nrun: a.py:B\n", "image: ~\nmodel: m\n", "run: a.py:B\npredict: ~\n"),
        "build: {python_version: 3.10, gpu: yes, cudnn: 9, cuda: 12.4, sdk_version: 0.20}",
        "build: {python_version: 3.12, gpu: On, user: 1000:1000, lock: TRUE}",
        "build: {python_version: 3.12, user: 1000, python_packages: [], python_requirements: r.txt}",
        "weights: []\nimage: x\n",
        "weights: ~\nimage: x\n",
        "model: m\nweights: [{name: a, target: /a, source: {uri: b}}]\n",
        "model: m\nweights: [{name: a, target: /a, source: [{uri: b, include: ~}]}]\n",
        "build: {python_version: 3.12, run: [a, {command: b, mounts: ~}]}",
        "environment: [A=, 'B=a\n\n  b', PATHS=1, CUDA=1]",
    ],
)
def test_what_the_parser_takes_editors_take(text: str) -> None:
    assert complaints(text) == []
    VALIDATOR.validate(load(text))


@pytest.mark.parametrize("key", [key for key in KEYS if key.rule], ids=lambda key: key.path)
def test_an_expression_matches_whatever_its_rule_allows(key: Key) -> None:
    validator = jsonschema_rs.validator_for({"type": "string", **schema_of(key)})

    @given(st.text() | st.lists(PIECES, max_size=8).map("".join))
    @example(key.example.strip('"'))
    def check(text: str) -> None:
        assert key.rule is not None
        if Kind.INTEGER not in key.kinds and key.rule.complaint(text) is None:
            assert validator.is_valid(text)

    check()


def schema_of(key: Key) -> dict[str, Any]:
    assert key.rule is not None
    return key.rule.schema()


PIECES = st.sampled_from(
    [
        *("3", ".", "9", "10", "11", "0", "12.4", "1000", ":", "root", "prerelease", "0.16.0", "v"),
        *(
            "a",
            "B",
            "_",
            "-",
            "/",
            "//",
            "..",
            "!",
            "*",
            "**",
            "[",
            "]",
            "\\",
            " ",
            "\n",
            "\r",
            "=",
        ),
        *("run.py:Runner", ".py:", "PATH", "CUDA_", "R8_", "NAME", "@", "@sha256:" + "0" * 64, "é"),
    ]
)
WORDS = st.sampled_from(
    [
        *(
            "",
            "x",
            "3.11",
            "3.8",
            "12.4",
            "9",
            "root",
            "1000:1000",
            "a b",
            "run.py:Runner",
            "run.py",
        ),
        *(
            "A=1",
            "A",
            "PATH=1",
            "r.txt",
            "secret",
            "/a",
            "/",
            "../x",
            "a\\b",
            "!x",
            "**/*.bin",
            "[",
        ),
        *("registry.example/a:1", "Upper", "a:b", "0.17.0", "prerelease", "0.1", "é", "line\nline"),
    ]
)
SCALARS = WORDS | st.integers(-2, 20) | st.sampled_from([3.11, 12.4, True, False, None])


def values_of(key: Key) -> st.SearchStrategy[Any]:
    """Return values for a key, right ones and wrong ones."""
    choices: list[st.SearchStrategy[Any]] = [SCALARS, st.sampled_from([[], {}])]
    if Kind.LIST in key.kinds:
        items = values_of(BY_PATH[f"{key.path}[]"])
        choices += [st.lists(items, min_size=1, max_size=2)] * 3
    if Kind.MAPPING in key.kinds:
        choices += [mappings_of(key.path)] * 3
    if key.single:
        choices.append(mappings_of(f"{key.path}[]"))
    if key.example:
        text = key.example.strip('"')
        right = {"true": True, "false": False}.get(text, text)
        choices += [
            st.just(int(text) if Kind.INTEGER in key.kinds and text.isdigit() else right)
        ] * 4
    return st.one_of(choices)


def mappings_of(path: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings: keys of the table, required ones nearly always, and sometimes an unknown one."""
    known = children_of(path)
    required = {name: values_of(key) for name, key in known.items() if key.required}
    optional = {name: values_of(key) for name, key in known.items() if not key.required}
    usual = st.fixed_dictionaries(required, optional=optional)
    odd = st.fixed_dictionaries({}, optional={**required, **optional, "unknown": SCALARS})
    return usual | usual | usual | odd


@pytest.mark.slow
@given(mappings_of(""))
@example({"build": {"python_version": "3.12", "user": 2**31}})
@example({"model": "m", "weights": [{"name": "a", "target": "/a/..", "source": {"uri": "b"}}]})
def test_parser_and_schema_say_the_same(config: dict[str, Any]) -> None:
    # JSON is YAML, and every text is in quotes there.
    said = complaints(json.dumps(config))
    if not said:
        VALIDATOR.validate(config)
    elif any(is_for_the_schema(complaint) for complaint in said):
        assert not VALIDATOR.is_valid(config)


def test_the_schema_says_what_is_deprecated_and_what_holds_by_default() -> None:
    properties = config_schema()["properties"]
    assert properties["predict"]["deprecated"]
    assert properties["predict"]["deprecationMessage"] == "Use run instead."
    assert properties["build"]["properties"]["user"]["default"] == "1000:1000"
    assert properties["build"]["properties"]["gpu"]["default"] is False
    assert properties["workers"]["default"] == 1


def test_a_message_of_an_editor_is_the_rules(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be in the form 'run\.py:Runner'"):
        parse_project("run: x\n", tmp_path / "cog.yaml", AnyFile())
    message = config_schema()["properties"]["run"]["patternErrorMessage"]
    assert message == "must be in the form 'run.py:Runner'"
