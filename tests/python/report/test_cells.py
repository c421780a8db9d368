"""No cell of few persons, and none that could be computed from the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consonance.release.parameters import small_group
from consonance.report.cells import persons, put_together


@given(st.lists(st.integers(1, 200), max_size=12))
def test_groups_are_large_and_complete(sizes: list[int]) -> None:
    groups, may_be_shown = put_together((f"group {place}", size) for place, size in enumerate(sizes))
    assert sum(group.persons for group in groups) == sum(sizes)
    assert sorted(name for group in groups for name in group.names) == sorted(f"group {n}" for n in range(len(sizes)))
    assert may_be_shown == (not sizes or sum(sizes) > small_group())
    if may_be_shown:
        assert all(group.persons > small_group() for group in groups)
    assert sum(len(group.names) > 1 for group in groups) <= 1


def test_a_small_group_pulls_the_next_one_along() -> None:
    groups, may_be_shown = put_together([("a", 50), ("b", 30), ("c", 3)])
    assert [(group.names, group.persons) for group in groups] == [(("a",), 50), (("b", "c"), 33)]
    assert may_be_shown


def test_few_persons_have_no_number() -> None:
    few = small_group()
    assert [persons(n) for n in (0, 1, few, few + 1)] == [
        "no person", f"up to {few} persons", f"up to {few} persons", f"{few + 1} persons",
    ]  # fmt: skip
