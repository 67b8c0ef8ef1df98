"""The stages of a long job side by side: each in a thread of its own, with a bounded queue to the next."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two looks at whether anyone still takes what a stage makes.
_LOOK = 0.1


@dataclass(frozen=True)
class _Failure:
    error: BaseException


def ahead(items: Iterable[T], size: int) -> Iterator[T]:
    """The same items in the same order, made in a thread up to `size` before they are asked for.

    An error of the maker comes out where the item would have. When the taker stops, the maker is closed.
    """
    made: queue.Queue[T | _Failure | None] = queue.Queue(size)
    stopped = threading.Event()

    def put(item: T | _Failure | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=_LOOK)
                return

    def make() -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    break
            put(None)
        except BaseException as error:  # handed on, whatever it is
            put(_Failure(error))
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join()
