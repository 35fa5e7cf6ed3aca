from __future__ import annotations

from cogworks.housekeeping.daily import sweep_daily
from cogworks.housekeeping.entry import total_size
from cogworks.housekeeping.inventory import survey
from cogworks.housekeeping.limits import DAY_S, Limits
from cogworks.housekeeping.stamp import NAME

from .conftest import Stock, age

LIMITS = Limits(30 * DAY_S, None)


def test_a_cache_is_swept_once_a_day(stock: Stock) -> None:
    stock.layer("old", days=31)
    stock.layer("young", days=29)
    stock.file("oci/locks-of-projects/abc/pylock.toml", days=400)
    assert sweep_daily(stock.root, LIMITS) is None
    age(stock.root / NAME, 2)
    done = sweep_daily(stock.root, LIMITS)
    assert done is not None
    assert [one.detail for one in done.removed] == ["of old"]
    assert sweep_daily(stock.root, LIMITS) is None
    assert {one.detail for one in survey(stock.root)} == {"of young", "of an image"}


def test_a_cache_is_kept_small(stock: Stock) -> None:
    for number in range(3):
        stock.layer(str(number), bytes([number]) * 5000, days=3 - number)
    stock.file(NAME, days=2)
    whole = total_size(survey(stock.root)).total_bytes
    done = sweep_daily(stock.root, Limits(None, whole - 1))
    assert done is not None
    assert [one.detail for one in done.removed] == ["of 0"]


def test_without_limits_nothing_is_looked_at(stock: Stock) -> None:
    stock.layer("old", days=400)
    stock.file(NAME, days=2)
    assert sweep_daily(stock.root, Limits(None, None)) is None


def test_a_cache_that_is_not_there_or_cannot_be_written_is_left_alone(stock: Stock) -> None:
    assert sweep_daily(stock.root, LIMITS) is None
    assert not stock.root.exists()
    stock.file("trash")
    stock.layer("old", days=31)
    stock.file(NAME, days=2)
    assert sweep_daily(stock.root, LIMITS) is None
    assert len(survey(stock.root)) >= 1
