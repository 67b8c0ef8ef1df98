"""Reading sources as pictures, only slightly ahead of their use.

Pictures are decoded in threads. The stages of a job run side by side, each in a thread of its own with a bounded buffer
between it and the next: see `prefetch`.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.io.archives import MemberReader
from fercli.faces.io.decode import measure_picture, read_picture
from fercli.faces.io.sources import Source

T = TypeVar("T")

#: How many pictures are decoded before they are asked for, and how many pixels these may have together, by their
#: headers. The limits bound the memory, however long the job and however large its pictures.
PREFETCH, PREFETCH_PIXELS = 2, 16_000_000
#: How many objects of a store are fetched at once, before they are asked for.
FETCHES = 16
#: After an item that costs so much, pixels for pictures, nothing is produced until the consumer is through with it:
#: of such pictures, one at a time is in memory, however many stages a job has.
ALONE = 40_000_000


@dataclass(frozen=True)
class Picture:
    """A picture, or a frame of a video: its pixels, RGB [H, W, 3] uint8, or the error that prevented reading it.

    `frame` is a frame's index in its video, from 0 on, and `time` its time in seconds. For pictures both are None.
    """

    source: Source
    pixels: NDArray[np.uint8] | None
    error: str = ""
    frame: int | None = None
    time: float | None = None


def read_pictures(sources: Iterable[Source], every: float = 0.0) -> Iterator[Picture]:
    """Read each source's picture, in order. One that cannot be read has its error.

    Of a video, the frames that are at least `every` seconds apart are read; 0 reads all. If the video is truncated,
    the error comes after its good frames. Archives are read in the caller's thread, from front to back, so that each
    is opened once. Other files are read, and all pictures decoded, in worker threads.
    """
    # a video is kept as its source, since its frames are only read when it is its turn
    pending: deque[tuple[Future[Picture] | Source, int]] = deque()
    with (
        ThreadPoolExecutor(PREFETCH) as pool,
        closing(MemberReader()) as members,
        closing(_load_all(sources, members)) as loaded,
    ):
        try:
            for source, content in loaded:
                is_video = _is_video(source)
                pixels = 0 if is_video or isinstance(content, PictureError) else measure_picture(content)
                while len(pending) > PREFETCH or (pending and _add_pixels(pending) + pixels > PREFETCH_PIXELS):
                    yield from _finish(pending.popleft()[0], every)
                pending.append((source if is_video else pool.submit(_decode, source, content), pixels))
            while pending:
                yield from _finish(pending.popleft()[0], every)
        finally:
            for item, _ in pending:
                if isinstance(item, Future):
                    item.cancel()


def _add_pixels(pending: Iterable[tuple[object, int]]) -> int:
    return sum(pixels for _, pixels in pending)


def _finish(item: Future[Picture] | Source, every: float) -> Iterator[Picture]:
    """Wait for a picture, or read a video's frames."""
    return _read_frames(item, every) if isinstance(item, Source) else iter([item.result()])


def _read_frames(source: Source, every: float) -> Generator[Picture, None, None]:
    # where there are only pictures, nothing of videos is loaded
    from fercli.faces.video.read import TruncatedVideoError, read_video

    try:
        for frame in read_video(source.path, every):
            yield Picture(source, frame.pixels, "", frame.index, frame.time)
    except TruncatedVideoError as error:
        yield Picture(source, None, str(error), error.index, error.time)
    except PictureError as error:
        yield Picture(source, None, str(error))


def _is_video(source: Source) -> bool:
    return source.kind == "video" and not source.error


def _load_all(
    sources: Iterable[Source], members: MemberReader
) -> Generator[tuple[Source, Path | bytes | PictureError], None, None]:
    """Each source with what is to be decoded. Objects in stores are fetched some ahead, many at once: each waits long
    for its answer."""
    ahead: deque[tuple[Source, Future[bytes | PictureError] | None]] = deque()
    with ThreadPoolExecutor(FETCHES) as pool:
        try:
            for source in sources:
                fetched = pool.submit(_fetch, source.path) if source.stored and not source.error else None
                ahead.append((source, fetched))
                while len(ahead) > FETCHES or (ahead and ahead[0][1] is None):
                    yield _take(ahead.popleft(), members)
            while ahead:
                yield _take(ahead.popleft(), members)
        finally:
            for _, fetched in ahead:
                if fetched is not None:
                    fetched.cancel()


def _take(
    item: tuple[Source, "Future[bytes | PictureError] | None"], members: MemberReader
) -> tuple[Source, Path | bytes | PictureError]:
    source, fetched = item
    if fetched is not None:
        return source, fetched.result()
    return source, source.path if _is_video(source) else _load(source, members)


def _fetch(path: Path) -> bytes | PictureError:
    from fercli.faces.io.stores import read_object

    try:
        return read_object(path)
    except PictureError as error:
        return error


def _load(source: Source, members: MemberReader) -> Path | bytes | PictureError:
    """What is to be decoded: a path, a member's content, or the error that prevents it."""
    if source.error:
        return PictureError(source.error)
    if source.member is None:
        return source.path
    try:
        return members.read(source.member)
    except PictureError as error:
        return error


def _decode(source: Source, content: Path | bytes | PictureError) -> Picture:
    if isinstance(content, PictureError):
        return Picture(source, None, str(content))
    try:
        return Picture(source, read_picture(content))
    except PictureError as error:
        return Picture(source, None, str(error))


def prefetch(items: Iterable[T], capacity: float, cost: Callable[[T], float] = lambda _: 1) -> Iterator[T]:
    """The same items in the same order, produced in a thread before they are asked for, until they cost `capacity`.

    An item that costs `ALONE` or more is produced and used before the next is begun. An error of the producer is raised
    where its item would have come. When the consumer stops, the producer is closed.
    """
    for batch in prefetch_batches(items, capacity, 0, cost):
        yield from batch
        del batch


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
            del batch
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
        # items of ALONE or more that are not used yet, and those in the consumer's hands
        self._alone = self._handed = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, items: Iterable[T]) -> None:
        """Put all items in, as there is room."""
        try:
            for item in items:
                if not self._put(item):
                    break
                del item  # it may be large: the next is produced without it
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
            if cost >= ALONE:
                self._alone += 1
                del item
                self._changed.wait_for(lambda: self._closed or not self._alone)
            return not self._closed

    def take(self, batch_cost: float) -> list[T]:
        """What is ready, up to `batch_cost`, at least one item; nothing at the end. Raises the producer's error."""
        batch: list[T] = []
        with self._changed:
            self._alone -= self._handed
            self._handed = 0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ready or self._ended)
            total = 0.0
            while self._ready and (not batch or total + self._ready[0][1] <= batch_cost):
                item, cost = self._ready.popleft()
                batch.append(item)
                total += cost
                self._handed += cost >= ALONE
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
