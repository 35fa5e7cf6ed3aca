"""The table of keys is complete and consistent, and docs/cog-yaml.md tells it truly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from cogworks.project.config_schema import config_schema
from cogworks.project.errors import RequirementsError
from cogworks.project.key import Key, Kind
from cogworks.project.keys import BY_PATH, KEYS, children_of
from cogworks.project.parse import examine_text
from cogworks.project.requirements import parse_requirements
from cogworks.project.rules import RESERVED_NAMES, RESERVED_PREFIXES

from .conftest import MemoryFiles

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTATION = (ROOT / "docs" / "cog-yaml.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", DOCUMENTATION, flags=re.DOTALL | re.MULTILINE)
HOME = Path("/project")
CONFIG = HOME / "cog.yaml"
EVERY_KEY = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)


def problems(text: str) -> list[str]:
    files = MemoryFiles({HOME / "requirements.txt": ""})
    return [one.render("cog.yaml") for one in examine_text(text, CONFIG, files).problems]


@EVERY_KEY
def test_a_key_has_a_parent_of_the_fitting_kind_and_a_help_text(key: Key) -> None:
    assert key.help.endswith(".")
    if key.path.endswith("[]"):
        assert Kind.LIST in BY_PATH[key.path[:-2]].kinds
    elif "." in key.path:
        assert Kind.MAPPING in BY_PATH[key.path.rpartition(".")[0]].kinds
    if Kind.LIST in key.kinds:
        assert f"{key.path}[]" in BY_PATH


def test_paths_are_unique() -> None:
    assert len(BY_PATH) == len(KEYS)


def test_children_are_the_keys_directly_below() -> None:
    assert list(children_of("build.run[]")) == ["command", "mounts"]
    assert "build" in children_of("")
    assert "gpu" not in children_of("")


@EVERY_KEY
def test_an_example_and_a_default_are_values_that_are_taken(key: Key) -> None:
    for text in filter(None, (key.example, key.default)):
        model = "model: m\n" if key.path.startswith("weights") else ""
        assert problems(model + with_value("", key.path, text)[1:-1]) == []


def with_value(path: str, wanted: str, value: str) -> str:
    """Return, in YAML's flow style, a mapping in which a key has a value, and what is required has its examples."""
    entries = [
        f"{key.name}: {value_of(key, wanted, value)}"
        for key in children_of(path).values()
        if key.required or f"{wanted}.".startswith((f"{key.path}.", f"{key.path}["))
    ]
    return "{" + ", ".join(entries) + "}"


def value_of(key: Key, wanted: str, value: str) -> str:
    if key.path == wanted:
        return value
    if Kind.LIST in key.kinds:
        return f"[{value_of(BY_PATH[f'{key.path}[]'], wanted, value)}]"
    if Kind.MAPPING in key.kinds and not (key.example and wanted == key.path):
        return with_value(key.path, wanted, value)
    return key.example


@EVERY_KEY
def test_a_key_is_documented_as_the_table_has_it(key: Key) -> None:
    if not key.path.endswith("[]"):
        cells = r"[^|]*\|" * 3
        (row,) = re.findall(rf"^\| `{re.escape(key.path)}` \|{cells}$", DOCUMENTATION, re.MULTILINE)
        assert key.help in row
        assert key.example in row


@pytest.mark.parametrize("name", [*RESERVED_NAMES, *(f"{one}..." for one in RESERVED_PREFIXES)])
def test_a_reserved_variable_is_documented_with_its_reason(name: str) -> None:
    assert re.search(rf"^\| `{re.escape(name)}` \| \w.* \|$", DOCUMENTATION, re.MULTILINE)


@pytest.mark.parametrize("text", BLOCKS)
def test_an_example_of_the_page_is_a_project_for_the_command_and_for_editors(text: str) -> None:
    assert problems(text) == []
    validator = jsonschema_rs.validator_for(config_schema())
    # The library types little of what it returns.
    parser: Any = YAML(typ="safe", pure=True)
    validator.validate(parser.load(text))


def test_every_key_stands_in_an_example_of_the_page_or_in_its_row() -> None:
    blocks = "".join(BLOCKS)
    names = {key.path: key.name for key in KEYS if not key.path.endswith("[]")}
    shown = {path for path, name in names.items() if re.search(rf"\b{name}:", blocks)}
    assert {path for path in names.keys() - shown if not BY_PATH[path].example} == set()


@pytest.mark.parametrize(
    "line",
    [
        *("file:x.whl", "six @ ./x", "./folder", "-e ./x", "--find-links ./x", "x.whl --hash=1"),
        *("gone.whl", "../outside.whl", "--install-option x"),
    ],
)
def test_what_is_refused_in_a_requirements_file_is_documented_as_it_is_said(line: str) -> None:
    there = [HOME / "x.whl", HOME.parent / "outside.whl"]
    files = MemoryFiles({HOME / "r.txt": line, **dict.fromkeys(there, "")})
    with pytest.raises(RequirementsError) as caught:
        parse_requirements(HOME / "r.txt", HOME, files)
    assert str(caught.value).rpartition('": ')[2] in DOCUMENTATION
