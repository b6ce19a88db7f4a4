"""Work of several requests done at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from clerk_ui.grouped import Grouped


class Desk:
    """Work that can be held up, and the groups in which it was done."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.open = threading.Event(), threading.Event()

    def work(self, parts: Sequence[int]) -> list[int]:
        self.groups.append(list(parts))
        self.begun.set()
        assert self.open.wait(10)
        if 13 in parts:
            raise ValueError("13")
        return [part * 10 for part in parts]


def together(desk: Desk, grouped: Grouped[int, int], first: int, others: Sequence[int]) -> dict[int, int | str]:
    """What each caller got, the others having come while the first was at work."""
    got: dict[int, int | str] = {}

    def call(number: int) -> None:
        try:
            got[number] = grouped.do(number)
        except ValueError as error:
            got[number] = str(error)

    threads = [threading.Thread(target=call, args=(first,))]
    threads[0].start()
    assert desk.begun.wait(10)
    threads += [threading.Thread(target=call, args=(number,)) for number in others]
    for thread in threads[1:]:
        thread.start()
    while len(grouped._waiting) < len(others):
        pass
    desk.open.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return got


def test_who_comes_meanwhile_is_done_in_one_group_and_gets_his_own_answer() -> None:
    desk = Desk()
    got = together(desk, Grouped(desk.work), 1, [2, 3, 4])
    assert got == {1: 10, 2: 20, 3: 30, 4: 40}
    assert [sorted(group) for group in desk.groups] == [[1], [2, 3, 4]]


def test_a_large_crowd_is_done_in_several_groups() -> None:
    desk = Desk()
    got = together(desk, Grouped(desk.work, most=2), 1, [2, 3, 4, 5, 6])
    assert got == {number: number * 10 for number in range(1, 7)}
    assert [len(group) for group in desk.groups] == [1, 2, 2, 1]


def test_one_fault_is_not_the_others() -> None:
    desk = Desk()
    got = together(desk, Grouped(desk.work), 1, [2, 13, 4])
    assert got == {1: 10, 2: 20, 13: "13", 4: 40}


def test_alone_and_at_fault() -> None:
    desk = Desk()
    desk.open.set()
    grouped = Grouped(desk.work)
    with pytest.raises(ValueError, match="13"):
        grouped.do(13)
    assert grouped.do(1) == 10
