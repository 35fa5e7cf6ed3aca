"""The table of keys is complete and consistent."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.project.keys import BY_PATH, KEYS, Key, Kind, children_of
from cogworks.project.rules import RESERVED_NAMES, RESERVED_PREFIXES

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTATION = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
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


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_a_key_is_documented_as_the_table_has_it(key: Key) -> None:
    if not key.path.endswith("[]"):
        kinds = " or ".join(kind.value for kind in key.kinds)
        assert f"| `{key.path}` | {kinds} | {key.help}" in DOCUMENTATION


@pytest.mark.parametrize("name", [*RESERVED_NAMES, *RESERVED_PREFIXES])
def test_a_reserved_variable_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENTATION
