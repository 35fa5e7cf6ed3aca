"""Which wheels share a layer, and in which order the layers lie; pure.

Big and stable lowest: unpacked layers are shared with those below them, so whatever changes often belongs on top. A
big wheel has a layer of its own, so that a new version of one replaces nothing else; small ones share one layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cogworks.build.errors import LayerLimitError

LAYERS_MAX = 125
"""The base's layers included; source: docker's overlay2 driver was seen to mount 125 and to refuse more."""

OWN_LAYER_BYTES = 4 * 1024 * 1024
"""A wheel of this size has a layer of its own."""

_FRAMEWORKS = ("nvidia", "torch", "triton", "jaxlib", "tensorflow")


class Section(IntEnum):
    """Groups of layers, lowest first."""

    FRAMEWORK = 1
    WEIGHTS = 2
    BIG = 3
    SMALL = 4


@dataclass(frozen=True, slots=True)
class Item:
    """Something that goes into a layer: a wheel, by its package's name, or a file of weights, by its path."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Group:
    """The content of one layer; items are sorted by name."""

    section: Section
    items: tuple[Item, ...]

    @property
    def size_bytes(self) -> int:
        """The size of all items together."""
        return sum(item.size_bytes for item in self.items)


def group(wheels: Sequence[Item], weights: Sequence[Item] = ()) -> list[Group]:
    """Return the layers of wheels and weights, lowest first, as if there were no limit."""
    found = [Group(Section.WEIGHTS, (item,)) for item in weights]
    for section, of_section in (
        (Section.FRAMEWORK, [item for item in wheels if _rank(item.name) is not None]),
        (Section.BIG, [item for item in wheels if _rank(item.name) is None]),
    ):
        big = [item for item in of_section if item.size_bytes >= OWN_LAYER_BYTES]
        found += [Group(section, (item,)) for item in big]
        small = [item for item in of_section if item.size_bytes < OWN_LAYER_BYTES]
        if small:
            is_framework = section is Section.FRAMEWORK
            shared = Section.FRAMEWORK if is_framework else Section.SMALL
            found.append(Group(shared, tuple(sorted(small, key=lambda item: item.name))))
    return sorted(found, key=_position)


def fit(groups: Sequence[Group], limit: int) -> list[Group]:
    """Return the groups merged to at most ``limit`` layers: the smallest first, and within a section only.

    Raises:
        LayerLimitError: there are not even enough layers for one of each section.
    """
    found = list(groups)
    while len(found) > limit:
        pair = _smallest_pair(found)
        if pair is None:
            raise LayerLimitError(
                f"An image has at most {LAYERS_MAX} layers; the base and the fixed ones leave {limit}, and "
                f"{len(found)} are needed. Use a base image with fewer layers."
            )
        first, second = pair
        items = sorted((*first.items, *second.items), key=lambda item: item.name)
        found = [one for one in found if one is not first and one is not second]
        found.append(Group(first.section, tuple(items)))
    return sorted(found, key=_position)


def _smallest_pair(groups: Sequence[Group]) -> tuple[Group, Group] | None:
    """Return the two groups of one section that are smallest together."""
    by_size = sorted(groups, key=lambda one: (one.size_bytes, one.items[0].name))
    pairs: list[tuple[Group, Group]] = []
    for section in Section:
        of_section = [one for one in by_size if one.section is section]
        if len(of_section) > 1:
            pairs.append((of_section[0], of_section[1]))
    return min(pairs, key=lambda pair: pair[0].size_bytes + pair[1].size_bytes, default=None)


def _position(one: Group) -> tuple[int, int, int, str]:
    """Return the sort key of a layer: section, framework, larger first, name."""
    ranks = [rank for item in one.items if (rank := _rank(item.name)) is not None]
    is_framework = one.section is Section.FRAMEWORK
    # A layer of several frameworks changes as often as its least stable one.
    rank = max(ranks) if is_framework and ranks else 0
    return one.section, rank, -one.size_bytes, one.items[0].name


def _rank(name: str) -> int | None:
    """Return the place of a framework's wheel among frameworks; None for all other wheels."""
    for rank, framework in enumerate(_FRAMEWORKS):
        if name == framework or (framework == "nvidia" and name.startswith("nvidia-")):
            return rank
    return None
