"""From sources to pixels: decoded in threads, in order, only a little ahead of whoever takes them."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.archives import MemberReader
from fercli.faces.decode import read_picture
from fercli.faces.sources import Source

#: Pictures decoded before they are asked for. It bounds the memory of a job of any length.
AHEAD = 2


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
    """Each source's picture, in order; one that cannot be read comes with its fault.

    Archives are read in the thread of whoever takes the pictures, front to back by one handle; decoding, and the
    reading of other files, is done in threads.
    """
    waiting: deque[Future[Picture]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool, closing(MemberReader()) as members:
        try:
            for source in sources:
                waiting.append(pool.submit(_read, source, _content(source, members)))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for pending in waiting:
                pending.cancel()


def _content(source: Source, members: MemberReader) -> Path | bytes | PictureError:
    """What is to be decoded, or why there is nothing."""
    if source.fault:
        return PictureError(source.fault)
    if source.kind == "video":
        return PictureError("a video, which cannot be read yet")
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
