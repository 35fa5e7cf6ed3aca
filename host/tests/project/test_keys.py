"""The table of keys is complete and consistent."""

from __future__ import annotations

import pytest

from cogworks.project.keys import BY_PATH, KEYS, Key, Kind, children_of


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
