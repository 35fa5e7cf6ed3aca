"""Layers of several commands become one, as if a single command had done it all."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.stages.diff import Changes, Content, Diff, Kind, Node, parents
from cogworks.oci.tar import Metadata

ROOT = Metadata(0o755)


def folder(path: str) -> Node:
    return Node(path, Kind.DIRECTORY, ROOT)


def file(path: str, number: int = 0) -> Node:
    return Node(path, Kind.FILE, ROOT, content=Content(Path("layer"), number, 1))


def merged(*layers: Changes) -> Diff:
    diff = Diff()
    for layer in layers:
        diff.add(layer)
    return diff


def seen(diff: Diff) -> tuple[list[str], list[str], list[str]]:
    return sorted(diff.nodes), sorted(diff.whiteouts()), sorted(diff.opaque)


def test_a_later_file_replaces_an_earlier_one() -> None:
    diff = merged(Changes((file("a", 1),)), Changes((file("a", 2),)))
    assert diff.nodes == {"a": file("a", 2)}


def test_what_was_made_and_removed_leaves_a_whiteout_only() -> None:
    diff = merged(
        Changes((folder("opt"), folder("opt/x"), file("opt/x/y"))), Changes((), ("opt/x",))
    )
    assert seen(diff) == (["opt"], ["opt/x"], [])


def test_a_removed_file_that_comes_again_has_no_whiteout() -> None:
    diff = merged(Changes((), ("etc/x",)), Changes((folder("etc"), file("etc/x"))))
    assert seen(diff) == (["etc", "etc/x"], [], [])


def test_a_removed_folder_that_comes_again_hides_what_was_in_it() -> None:
    diff = merged(Changes((), ("etc/x",)), Changes((folder("etc"), folder("etc/x"))))
    assert seen(diff) == (["etc", "etc/x"], [], ["etc/x"])


def test_a_folder_in_the_place_of_a_file_hides_what_is_below() -> None:
    diff = merged(Changes((file("x"),)), Changes((folder("x"), file("x/y"))))
    assert seen(diff) == (["x", "x/y"], [], ["x"])


def test_a_file_in_the_place_of_a_folder_takes_its_content_away() -> None:
    diff = merged(Changes((folder("x"), file("x/y"), folder("x/z"))), Changes((file("x"),)))
    assert seen(diff) == (["x"], [], [])


def test_an_opaque_folder_hides_what_earlier_commands_left_in_it() -> None:
    diff = merged(
        Changes((folder("x"), file("x/old")), ("x/gone",)),
        Changes((folder("x"), file("x/new")), opaque=("x",)),
    )
    assert seen(diff) == (["x", "x/new"], [], ["x"])


def test_an_opaque_folder_that_is_removed_is_a_whiteout() -> None:
    diff = merged(Changes((folder("x"),), opaque=("x",)), Changes((), ("x",)))
    assert seen(diff) == ([], ["x"], [])


def test_a_folder_that_comes_again_in_the_same_state_is_not_opaque() -> None:
    assert seen(merged(Changes((folder("x"),)), Changes((folder("x"),)))) == (["x"], [], [])


def test_dropping_takes_away_marks_too() -> None:
    diff = merged(Changes((folder("run"), file("run/x")), ("run/y", "running"), ("run",)))
    diff.drop("run")
    assert seen(diff) == ([], ["running"], [])


def test_parents_are_the_folders_above() -> None:
    assert list(parents("a/b/c")) == ["a/b", "a"]
    assert list(parents("a")) == []


NAMES = ("a", "b", "a/a", "a/b", "a/a/b")


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bool]:
    """Return path -> whether it is a folder, every parent being one."""
    found: dict[str, bool] = {}
    for name in NAMES:
        parent = name.rpartition("/")[0]
        if (not parent or found.get(parent)) and draw(st.booleans()):
            found[name] = draw(st.booleans())
    return found


def changes_between(before: dict[str, bool], after: dict[str, bool]) -> Changes:
    """Return what an engine writes: everything of the new tree, and what of the old one is gone."""
    gone = [path for path in before if path not in after]
    top = [path for path in gone if not any(parent in gone for parent in parents(path))]
    opaque = [path for path, is_folder in after.items() if is_folder and before.get(path) is False]
    nodes = (folder(path) if is_folder else file(path) for path, is_folder in after.items())
    # Whiteouts below what is a file now would be below no folder.
    top = [path for path in top if all(after.get(one, True) for one in parents(path))]
    return Changes(tuple(nodes), tuple(top), tuple(opaque))


def applied(below: dict[str, bool], diff: Diff) -> dict[str, bool]:
    """Return a tree with a layer on top; source: OCI image-spec, "Applying Changesets"."""
    tree = dict(below)
    for path in [*diff.whiteouts(), *(f"{one}/" for one in diff.opaque)]:
        for name in [one for one in tree if one == path or one.startswith(f"{path.rstrip('/')}/")]:
            del tree[name]
    for path, node in sorted(diff.nodes.items()):
        is_folder = node.kind is Kind.DIRECTORY
        if path in tree and tree[path] and not is_folder:
            for name in [one for one in tree if one.startswith(f"{path}/")]:
                del tree[name]
        tree[path] = is_folder
    return tree


@given(trees(), trees(), trees(), trees())
def test_one_layer_does_what_three_did(
    base: dict[str, bool], first: dict[str, bool], second: dict[str, bool], third: dict[str, bool]
) -> None:
    diff = merged(
        changes_between(base, first), changes_between(first, second), changes_between(second, third)
    )
    assert applied(base, diff) == third
