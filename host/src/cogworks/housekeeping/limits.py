"""Ages and sizes as people write them, `30d` and `20GB`, and the limits that hold where nobody names others; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cogworks.errors import CogworksError

DAY_S = 24 * 3600.0
DEFAULT_MAX_AGE, DEFAULT_MAX_SIZE = "30d", "50GB"
OFF = "off"
AGE_VARIABLE, SIZE_VARIABLE = "COG_CACHE_MAX_AGE", "COG_CACHE_MAX_SIZE"

_AGES = {"m": 60.0, "h": 3600.0, "d": DAY_S, "w": 7 * DAY_S}
_SIZES: Mapping[str, int] = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_NUMBER = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)\s*", flags=re.IGNORECASE)


class LimitError(CogworksError):
    """A text is neither an age nor a size."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How old and how large a cache may become; None is no limit."""

    max_age_s: float | None
    max_bytes: int | None


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Return the limits that the variables name; what is not set has its default.

    Raises:
        LimitError: a variable has another value.
    """
    age = environment.get(AGE_VARIABLE) or DEFAULT_MAX_AGE
    size = environment.get(SIZE_VARIABLE) or DEFAULT_MAX_SIZE
    try:
        return Limits(
            None if age.lower() == OFF else parse_age(age),
            None if size.lower() == OFF else parse_size(size),
        )
    except LimitError as error:
        raise LimitError(f"{AGE_VARIABLE}, {SIZE_VARIABLE}: {error} Or `{OFF}`.") from error


def parse_age(text: str) -> float:
    """Return the seconds of `45m`, `12h`, `30d`, `2w`.

    Raises:
        LimitError: the text is no age.
    """
    match = _NUMBER.fullmatch(text)
    unit = _AGES.get(match["unit"].lower()) if match else None
    if match is None or unit is None:
        raise LimitError(f"{text!r:.80} is not an age: write 45m, 12h, 30d or 2w.")
    return float(match["number"]) * unit


def parse_size(text: str) -> int:
    """Return the bytes of `500MB`, `20GB`, `1.5TiB`.

    Raises:
        LimitError: the text is no size.
    """
    match = _NUMBER.fullmatch(text)
    unit = _SIZES.get(match["unit"].lower()) if match else None
    if match is None or unit is None:
        raise LimitError(f"{text!r:.80} is not a size: write 500MB, 20GB or 1.5TiB.")
    return round(float(match["number"]) * unit)


def show_age(age_s: float) -> str:
    """Return `today`, `1 day ago`, `3 weeks ago`: last uses are known to the day."""
    days = int(max(0.0, age_s) // DAY_S)
    if days == 0:
        return "today"
    count, unit = (days, "day") if days < 21 else (days // 7, "week")
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
