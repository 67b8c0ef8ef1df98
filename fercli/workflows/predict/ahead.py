"""The stages of a long job side by side: each in a thread of its own, with a bounded store between it and the next."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T], size: float, weight: Callable[[T], float] = lambda _: 1) -> Iterator[T]:
    """The same items in the same order, made in a thread before they are asked for, until they weigh `size`.

    An error of the maker comes out where the item would have. When the taker stops, the maker is closed.
    """
    for batch in batches_ahead(items, size, 0, weight):
        yield from batch


def batches_ahead(items: Iterable[T], size: float, most: float, weight: Callable[[T], float]) -> Iterator[list[T]]:
    """The same, but what has been made when the taker asks comes together, as far as it weighs `most`, at least one.

    So nothing waits for others: of a slow maker each comes alone, of a fast one many at once.
    """
    store = _Store(size, weight)
    thread = threading.Thread(target=store.fill, args=(items,), daemon=True)
    thread.start()
    try:
        while batch := store.take(most):
            yield batch
    finally:
        store.close()
        thread.join()


class _Store(Generic[T]):
    """What one thread has made and another has not taken yet."""

    def __init__(self, size: float, weight: Callable[[T], float]) -> None:
        self._size, self._weight = size, weight
        self._changed = threading.Condition()
        self._made: deque[tuple[T, float]] = deque()
        self._total = 0.0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, items: Iterable[T]) -> None:
        """Put all of them in, as there is room."""
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
        """Whether anyone still takes what is made."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._total < self._size)
            weight = self._weight(item)
            self._made.append((item, weight))
            self._total += weight
            self._changed.notify_all()
            return not self._closed

    def take(self, most: float) -> list[T]:
        """What is there, as far as it weighs `most`, at least one; nothing at the end. Raises the maker's error."""
        taken: list[T] = []
        with self._changed:
            self._changed.wait_for(lambda: self._made or self._ended)
            weight = 0.0
            while self._made and (not taken or weight + self._made[0][1] <= most):
                item, own = self._made.popleft()
                taken.append(item)
                weight += own
            self._total -= weight
            self._changed.notify_all()
            if not taken and self._error:
                raise self._error
        return taken

    def close(self) -> None:
        """Nobody takes any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
