from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.errors import LayerLimitError
from cogworks.build.grouping import OWN_LAYER_BYTES, Group, Item, Section, fit, group

MIB = 1024 * 1024
WHEELS = [
    Item("click", 1 * MIB),
    Item("torch", 800 * MIB),
    Item("numpy", 16 * MIB),
    Item("nvidia-nvtx-cu12", MIB),
    Item("scipy", 36 * MIB),
    Item("nvidia-cudnn-cu12", 600 * MIB),
    Item("attrs", MIB),
    Item("triton", 150 * MIB),
]


def names(groups: list[Group]) -> list[list[str]]:
    return [[item.name for item in one.items] for one in groups]


def test_frameworks_lie_lowest_then_weights_then_big_wheels_then_the_small_ones_together() -> None:
    assert names(group(WHEELS, [Item("weights/a.bin", 100 * MIB)])) == [
        ["nvidia-cudnn-cu12"],
        ["nvidia-nvtx-cu12"],
        ["torch"],
        ["triton"],
        ["weights/a.bin"],
        ["scipy"],
        ["numpy"],
        ["attrs", "click"],
    ]


def test_one_more_small_requirement_leaves_every_other_layer_as_it_is() -> None:
    before, after = group(WHEELS), group([*WHEELS, Item("rich", MIB)])
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


def test_the_smallest_layers_of_one_section_are_merged_first() -> None:
    fitted = fit(group(WHEELS), 6)
    assert names(fitted) == [
        ["nvidia-cudnn-cu12"],
        ["nvidia-nvtx-cu12"],
        ["torch"],
        ["triton"],
        ["numpy", "scipy"],
        ["attrs", "click"],
    ]


def test_too_few_layers_are_an_error_with_the_numbers() -> None:
    with pytest.raises(
        LayerLimitError, match=r"at most 125 layers; the base and the fixed ones leave 2"
    ):
        fit(group(WHEELS), 2)


ITEMS = st.lists(
    st.builds(
        Item,
        st.sampled_from(["torch", "nvidia-a", "nvidia-b", *(f"p{n}" for n in range(40))]),
        st.integers(1, 4 * OWN_LAYER_BYTES),
    ),
    unique_by=lambda item: item.name,
)


@given(ITEMS, ITEMS, st.integers(4, 20))
def test_nothing_is_lost_and_the_order_of_the_input_does_not_count(
    wheels: list[Item], weights: list[Item], limit: int
) -> None:
    fitted = fit(group(wheels, weights), limit)
    assert sorted(item.name for one in fitted for item in one.items) == sorted(
        item.name for item in (*wheels, *weights)
    )
    assert len(fitted) <= limit
    assert [one.section for one in fitted] == sorted(one.section for one in fitted)
    shuffled = sorted(wheels, key=lambda item: item.name[::-1])
    assert fit(group(shuffled, weights[::-1]), limit) == fitted


def test_weights_never_share_a_layer_with_wheels() -> None:
    weights = [Item(f"w{n}", MIB) for n in range(10)]
    fitted = fit(group(WHEELS, weights), 5)
    assert {
        item.name for one in fitted if one.section is Section.WEIGHTS for item in one.items
    } == {item.name for item in weights}
