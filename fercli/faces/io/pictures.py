"""Reading sources as pictures: decoded in threads, in order, and only slightly ahead of their use."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.io.archives import MemberReader
from fercli.faces.io.decode import measure_picture, read_picture
from fercli.faces.io.sources import Source

#: How many pictures are decoded before they are asked for, and how many pixels these may have together, by their
#: headers. The limits bound the memory, however long the job and however large its pictures.
PREFETCH, PREFETCH_PIXELS = 2, 16_000_000


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
    with ThreadPoolExecutor(PREFETCH) as pool, closing(MemberReader()) as members:
        try:
            for source in sources:
                is_video = source.kind == "video" and not source.error
                content = source.path if is_video else _load(source, members)
                pixels = 0 if is_video or isinstance(content, PictureError) else measure_picture(content)
                while len(pending) > PREFETCH or (pending and _add_pixels(pending) + pixels > PREFETCH_PIXELS):
                    yield from _finish(pending.popleft()[0], every, pool)
                pending.append((source if is_video else pool.submit(_decode, source, content), pixels))
            while pending:
                yield from _finish(pending.popleft()[0], every, pool)
        finally:
            for item, _ in pending:
                if isinstance(item, Future):
                    item.cancel()


def _add_pixels(pending: Iterable[tuple[object, int]]) -> int:
    return sum(pixels for _, pixels in pending)


def _finish(item: Future[Picture] | Source, every: float, pool: ThreadPoolExecutor) -> Iterator[Picture]:
    """Wait for a picture, or read a video's frames."""
    return _prefetch_frames(item, every, pool) if isinstance(item, Source) else iter([item.result()])


def _prefetch_frames(source: Source, every: float, pool: ThreadPoolExecutor) -> Iterator[Picture]:
    """A video's frames. The next one is decoded while the last one is used."""
    frames = _read_frames(source, every)
    next_frame = pool.submit(next, frames, None)
    try:
        while (picture := next_frame.result()) is not None:
            next_frame = pool.submit(next, frames, None)
            yield picture
    finally:
        if not next_frame.cancel():
            wait([next_frame])
        frames.close()


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
