import gc
import threading
import time
import weakref

import pytest

from fercli.faces.io.pictures import ALONE, prefetch, prefetch_batches


def test_items_come_in_order_and_only_a_little_ahead():
    made = []

    def make():
        for number in range(100):
            made.append(number)
            yield number

    items = prefetch(make(), 3)
    for taken in range(10):
        assert next(items) == taken
        time.sleep(0.002)
        assert len(made) <= taken + 1 + 3 + 1
    assert list(items) == list(range(10, 100))


def test_the_maker_s_error_comes_where_its_item_would_have():
    def make():
        yield 1
        raise ValueError("broken")

    items = prefetch(make(), 5)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_a_taker_who_stops_closes_the_maker_and_its_thread():
    closed = threading.Event()

    def make():
        try:
            yield from range(1000)
        finally:
            closed.set()

    before = threading.active_count()
    items = prefetch(prefetch(make(), 2), 2)
    assert next(items) == 0
    items.close()
    assert closed.wait(5)
    assert threading.active_count() == before


def test_work_on_both_sides_overlaps():
    inside = threading.Barrier(2, timeout=5)

    def make():
        yield 0
        inside.wait()
        yield 1

    items = prefetch(make(), 1)
    assert next(items) == 0
    inside.wait()  # the maker is at work on the next one meanwhile
    assert next(items) == 1


def test_items_that_wait_weigh_no_more_than_they_may():
    made = []

    def make():
        for number in range(30):
            made.append(number)
            yield number

    items = prefetch(make(), 10, lambda number: 100 if number == 5 else 4)
    assert next(items) == 0
    time.sleep(0.05)
    assert made[-1] == 4  # 1, 2 and 3 weigh 12, 4 waits in the maker's hands
    assert [next(items) for _ in range(4)] == [1, 2, 3, 4]
    time.sleep(0.05)
    assert made[-1] == 6  # the heavy one alone, and one in the maker's hands
    assert list(items) == list(range(5, 30))


def test_what_came_meanwhile_comes_together_as_far_as_it_may():
    all_made = threading.Event()

    def make():
        yield from range(10)
        all_made.set()
        yield 10

    batches = prefetch_batches(make(), 100, 4, lambda number: 5 if number == 3 else 1)
    first = next(batches)
    assert first[0] == 0
    assert all_made.wait(5)
    rest = list(batches)
    assert first + [item for batch in rest for item in batch] == list(range(11))
    assert [3] in [first, *rest], "one that weighs too much comes alone"
    assert max(map(len, rest)) == 4


def test_nothing_waits_for_what_has_not_come():
    taken = threading.Event()

    def make():
        yield 1
        assert taken.wait(5), "the first was not handed on before the second was made"
        yield 2

    batches = prefetch_batches(make(), 10, 10, lambda _: 1)
    assert next(batches) == [1]
    taken.set()
    assert list(batches) == [[2]]


def test_large_items_are_made_and_used_one_at_a_time_through_all_stages():
    alive = weakref.WeakSet()
    most = []

    class Large:
        pass

    def make():
        for _ in range(5):
            gc.collect()
            most.append(len(alive))  # what is there while the next one is made
            item = Large()
            alive.add(item)
            yield item
            del item

    def pass_on(items):
        for batch in prefetch_batches(items, 10, 10, lambda _: ALONE):
            yield from batch
            del batch

    used = 0
    for item in prefetch(pass_on(make()), 10, lambda _: ALONE):
        time.sleep(0.01)
        used += 1
        del item
    assert used == 5
    assert most == [0] * 5
