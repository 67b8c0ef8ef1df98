"""From sources to pixels: decoded in threads, in order, only a little ahead of whoever takes them."""

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
from fercli.faces.io.decode import read_picture
from fercli.faces.io.sources import Source
from fercli.faces.video.read import BrokenOffError, read_video

#: Pictures decoded before they are asked for, fewer where as many of the last one's size have more pixels than that.
#: It bounds the memory of a job of any length.
AHEAD, AHEAD_PIXELS = 2, 16_000_000


@dataclass(frozen=True)
class Picture:
    """One picture of a source, or one frame of a video: its pixels, RGB [H, W, 3] uint8, or the fault that it has.

    `frame` counts a video's frames from 0 on, `time` is the frame's, in seconds; of a picture both are None.
    """

    source: Source
    pixels: NDArray[np.uint8] | None
    fault: str = ""
    frame: int | None = None
    time: float | None = None


def read_pictures(sources: Iterable[Source], every: float = 0.0) -> Iterator[Picture]:
    """Each source's picture, in order; one that cannot be read comes with its fault.

    Of a video come the frames that lie at least `every` seconds apart, with 0 all; where it breaks off, its fault
    comes after its good frames. Archives are read in the thread of whoever takes the pictures, front to back by one
    handle; decoding, and the reading of other files, is done in threads.
    """
    waiting: deque[Future[Picture] | Source] = deque()
    pixels = 0
    with ThreadPoolExecutor(AHEAD) as pool, closing(MemberReader()) as members:
        try:
            for source in sources:
                video = source.kind == "video" and not source.fault
                waiting.append(source if video else pool.submit(_read, source, _content(source, members)))
                while len(waiting) > AHEAD or len(waiting) * pixels > AHEAD_PIXELS:
                    for picture in _taken(waiting.popleft(), every, pool):
                        pixels = 0 if picture.pixels is None else picture.pixels.size // 3
                        yield picture
            while waiting:
                yield from _taken(waiting.popleft(), every, pool)
        finally:
            for pending in waiting:
                if isinstance(pending, Future):
                    pending.cancel()


def _taken(first: Future[Picture] | Source, every: float, pool: ThreadPoolExecutor) -> Iterator[Picture]:
    """The picture that was waited for, or a video's frames."""
    return _frames_ahead(first, every, pool) if isinstance(first, Source) else iter([first.result()])


def _frames_ahead(source: Source, every: float, pool: ThreadPoolExecutor) -> Iterator[Picture]:
    """A video's frames, the next one decoded while the last one is used."""
    frames = _frames(source, every)
    following = pool.submit(next, frames, None)
    try:
        while (picture := following.result()) is not None:
            following = pool.submit(next, frames, None)
            yield picture
    finally:
        if not following.cancel():
            wait([following])
        frames.close()


def _frames(source: Source, every: float) -> Generator[Picture, None, None]:
    try:
        for frame in read_video(source.path, every):
            yield Picture(source, frame.pixels, "", frame.index, frame.time)
    except BrokenOffError as end:
        yield Picture(source, None, str(end), end.index, end.time)
    except PictureError as error:
        yield Picture(source, None, str(error))


def _content(source: Source, members: MemberReader) -> Path | bytes | PictureError:
    """What is to be decoded, or why there is nothing."""
    if source.fault:
        return PictureError(source.fault)
    if source.member is None:
        return source.path
    try:
        return members.read(source.member)
    except PictureError as error:
        return error


def _read(source: Source, content: Path | bytes | PictureError) -> Picture:
    if isinstance(content, PictureError):
        return Picture(source, None, str(content))
    try:
        return Picture(source, read_picture(content))
    except PictureError as error:
        return Picture(source, None, str(error))
