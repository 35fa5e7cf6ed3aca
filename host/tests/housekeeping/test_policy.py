from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.housekeeping.entry import Entry, Kind, Size
from cogworks.housekeeping.policy import Policy, choose

NOW = 1000.0


def entry(name: str, used_ago: float, size: int = 10, **more: object) -> Entry:
    kind = more.pop("kind", Kind.LAYERS)
    return Entry(kind, name, "", Path(name), Size(size, size), NOW - used_ago, **more)  # type: ignore[arg-type]


def names(entries: list[Entry], policy: Policy) -> list[str]:
    return [one.name for one in choose(entries, policy, NOW)]


def test_what_was_not_used_for_long_goes() -> None:
    entries = [entry("new", 9), entry("old", 11), entry("older", 20)]
    assert names(entries, Policy(older_than_s=10)) == ["older", "old"]


def test_the_least_recently_used_go_until_the_rest_is_small_enough() -> None:
    entries = [entry("a", 1), entry("b", 3), entry("c", 2)]
    assert names(entries, Policy(max_bytes=20)) == ["b"]
    assert names(entries, Policy(max_bytes=19)) == ["b", "c"]
    assert names(entries, Policy(max_bytes=30)) == []


def test_what_is_in_use_counts_and_stays() -> None:
    entries = [entry("busy", 50, is_in_use=True), entry("a", 1), entry("b", 2)]
    assert names(entries, Policy(max_bytes=10)) == ["b", "a"]
    assert names(entries, Policy(everything=True)) == ["b", "a"]
    assert names(entries, Policy(older_than_s=10)) == []


def test_only_the_kinds_that_are_named_go() -> None:
    entries = [entry("layer", 20), entry("wheel", 20, kind=Kind.WHEELS)]
    assert names(entries, Policy(frozenset({Kind.WHEELS}), older_than_s=10)) == ["wheel"]
    # What is of another kind does not count either.
    assert names(entries, Policy(frozenset({Kind.WHEELS}), max_bytes=10)) == []


def test_locks_go_when_they_are_named_or_everything_goes() -> None:
    entries = [entry("lock", 20, kind=Kind.LOCKS)]
    assert names(entries, Policy(older_than_s=10)) == []
    assert names(entries, Policy(frozenset({Kind.LOCKS}), older_than_s=10)) == ["lock"]
    assert names(entries, Policy(everything=True)) == ["lock"]


def test_leftovers_go_whatever_their_age() -> None:
    assert names([entry("half", 0, kind=Kind.LEFTOVERS)], Policy(older_than_s=10)) == ["half"]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50), st.booleans()), max_size=12),
    st.integers(0, 200),
)
def test_no_more_goes_than_has_to(items: list[tuple[int, int, bool]], limit: int) -> None:
    entries = [
        entry(str(number), used, size, is_in_use=busy)
        for number, (used, size, busy) in enumerate(items)
    ]
    chosen = choose(entries, Policy(max_bytes=limit), NOW)
    left = sum(one.size.total_bytes for one in entries) - sum(
        one.size.total_bytes for one in chosen
    )
    free = [one for one in entries if not one.is_in_use and one not in chosen]
    assert left <= limit or not free
    if chosen:
        assert left + chosen[-1].size.total_bytes > limit
        assert all(one.used_at >= chosen[-1].used_at for one in free)


@pytest.mark.parametrize("kind", list(Kind))
def test_everything_is_of_every_kind(kind: Kind) -> None:
    assert names([entry("x", 0, kind=kind)], Policy(everything=True)) == ["x"]
