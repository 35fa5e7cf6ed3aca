"""How much is kept."""

from __future__ import annotations

from cogworks.server.store.limits import Limits


def test_all_three_limits_count() -> None:
    limits = Limits(max_records=2, max_bytes=10)
    assert limits.allow(2, 10)
    assert not limits.allow(3, 3)
    assert not limits.allow(2, 11)


def test_a_single_record_may_be_of_any_size() -> None:
    assert Limits(max_bytes=10).allow(1, 1000)
    assert not Limits(max_records=0).allow(1, 1)
