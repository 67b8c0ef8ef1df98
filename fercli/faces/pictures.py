"""From sources to pixels: decoded in threads, in order, only a little ahead of whoever takes them."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.decode import read_picture
from fercli.faces.sources import Source

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


def read_pictures(sources: Iterable[Source]) -> Iterator[Picture]:
    """Each source's picture, in order; one that cannot be read comes with its fault."""
    waiting: deque[Future[Picture]] = deque()
    pixels = 0
    with ThreadPoolExecutor(AHEAD) as pool:
        try:
            for source in sources:
                waiting.append(pool.submit(_read, source))
                while len(waiting) > AHEAD or len(waiting) * pixels > AHEAD_PIXELS:
                    picture = waiting.popleft().result()
                    pixels = 0 if picture.pixels is None else picture.pixels.size // 3
                    yield picture
            while waiting:
                yield waiting.popleft().result()
        finally:
            for pending in waiting:
                pending.cancel()


def _read(source: Source) -> Picture:
    if source.fault:
        return Picture(source, None, source.fault)
    try:
        return Picture(source, read_picture(source.path))
    except PictureError as error:
        return Picture(source, None, str(error))
