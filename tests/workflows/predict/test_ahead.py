import threading
import time

import pytest

from fercli.workflows.predict.ahead import ahead


def test_items_come_in_order_and_only_a_little_ahead():
    made = []

    def make():
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(make(), 3)
    for taken in range(10):
        assert next(items) == taken
        time.sleep(0.002)
        assert len(made) <= taken + 1 + 3 + 1
    assert list(items) == list(range(10, 100))


def test_the_maker_s_error_comes_where_its_item_would_have():
    def make():
        yield 1
        raise ValueError("broken")

    items = ahead(make(), 5)
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
    items = ahead(ahead(make(), 2), 2)
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

    items = ahead(make(), 1)
    assert next(items) == 0
    inside.wait()  # the maker is at work on the next one meanwhile
    assert next(items) == 1
