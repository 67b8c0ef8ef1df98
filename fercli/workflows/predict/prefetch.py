"""The stages of a long job side by side: each in a thread of its own, with a bounded buffer between it and the next."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T], capacity: float, cost: Callable[[T], float] = lambda _: 1) -> Iterator[T]:
    """The same items in the same order, produced in a thread before they are asked for, until they cost `capacity`.

    An error of the producer is raised where its item would have come. When the consumer stops, the producer is closed.
    """
    for batch in prefetch_batches(items, capacity, 0, cost):
        yield from batch


def prefetch_batches(
    items: Iterable[T], capacity: float, batch_cost: float, cost: Callable[[T], float]
) -> Iterator[list[T]]:
    """The same, but the items that are ready when the consumer asks come together, up to `batch_cost`, at least one.

    So no item waits for others: a slow producer gives them one by one, a fast one many at once.
    """
    buffer = _Buffer(capacity, cost)
    thread = threading.Thread(target=buffer.fill, args=(items,), daemon=True)
    thread.start()
    try:
        while batch := buffer.take(batch_cost):
            yield batch
    finally:
        buffer.close()
        thread.join()


class _Buffer(Generic[T]):
    """What one thread has produced and another has not taken yet."""

    def __init__(self, capacity: float, cost: Callable[[T], float]) -> None:
        self._capacity, self._cost = capacity, cost
        self._changed = threading.Condition()
        self._ready: deque[tuple[T, float]] = deque()
        self._total = 0.0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, items: Iterable[T]) -> None:
        """Put all items in, as there is room."""
        try:
            for item in items:
                if not self._put(item):
                    break
        except BaseException as error:  # handed on, whatever it is
            self._error = error
        finally:
            if isinstance(items, Generator):
                items.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Whether the consumer still wants more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._total < self._capacity)
            cost = self._cost(item)
            self._ready.append((item, cost))
            self._total += cost
            self._changed.notify_all()
            return not self._closed

    def take(self, batch_cost: float) -> list[T]:
        """What is ready, up to `batch_cost`, at least one item; nothing at the end. Raises the producer's error."""
        batch: list[T] = []
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended)
            total = 0.0
            while self._ready and (not batch or total + self._ready[0][1] <= batch_cost):
                item, cost = self._ready.popleft()
                batch.append(item)
                total += cost
            self._total -= total
            self._changed.notify_all()
            if not batch and self._error:
                raise self._error
        return batch

    def close(self) -> None:
        """The consumer has stopped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
