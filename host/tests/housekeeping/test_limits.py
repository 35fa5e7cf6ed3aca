from __future__ import annotations

import pytest

from cogworks.housekeeping.limits import (
    DAY_S,
    LimitError,
    Limits,
    parse_age,
    parse_size,
    read_limits,
    show_age,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45m", 2700), ("12h", 43200), ("30d", 30 * DAY_S), (" 2 W ", 14 * DAY_S), ("1.5d", 129600)],
)
def test_an_age_is_read(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("500MB", 500_000_000), ("20 gb", 20_000_000_000), ("1.5TiB", 3 * 2**39)],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "30 days", "1e3d", "x" * 500])
def test_what_is_no_age_is_told_with_examples(text: str) -> None:
    with pytest.raises(LimitError, match=r"is not an age: write 45m, 12h, 30d or 2w\.$") as caught:
        parse_age(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "20 gigs", "1,5GB"])
def test_what_is_no_size_is_told_with_examples(text: str) -> None:
    with pytest.raises(LimitError, match=r"is not a size: write 500MB, 20GB or 1\.5TiB\.$"):
        parse_size(text)


def test_limits_have_defaults_and_can_be_switched_off() -> None:
    assert read_limits({}) == Limits(30 * DAY_S, 50_000_000_000)
    assert read_limits({"COG_CACHE_MAX_AGE": "1w", "COG_CACHE_MAX_SIZE": "5GB"}) == Limits(
        7 * DAY_S, 5_000_000_000
    )
    assert read_limits({"COG_CACHE_MAX_AGE": "off", "COG_CACHE_MAX_SIZE": "OFF"}) == Limits(
        None, None
    )
    with pytest.raises(LimitError, match="COG_CACHE_MAX_SIZE"):
        read_limits({"COG_CACHE_MAX_SIZE": "much"})


@pytest.mark.parametrize(
    ("days", "text"),
    [(-1, "today"), (0.9, "today"), (1, "1 day ago"), (20, "20 days ago"), (30, "4 weeks ago")],
)
def test_an_age_is_shown(days: float, text: str) -> None:
    assert show_age(days * DAY_S) == text
