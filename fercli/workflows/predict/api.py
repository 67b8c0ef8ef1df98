"""`fercli.predict`: what the command does, for pictures that a program has."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.io.decode import image_to_rgb
from fercli.faces.io.pictures import Picture, read_pictures
from fercli.faces.io.sources import Source, expand_path
from fercli.faces.mtcnn.detector import MAX_SIDE, MIN_FACE, THRESHOLDS
from fercli.models.loaded import load_model
from fercli.training.device import model_device, pick_device
from fercli.workflows.predict.job import Stages, predict_read
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.search_settings import SearchSettings
from fercli.workflows.predict.unsure import check_share
from fercli.workflows.predict.video_settings import EVERY, VideoSettings

#: A file or folder, an array of pixels, or an image of Pillow's.
Input: TypeAlias = str | os.PathLike[str] | NDArray[np.uint8] | Image.Image


def predict(
    pictures: Input | Iterable[Input],
    *,
    model: str | None = None,
    device: str = "auto",
    recursive: bool = False,
    tta: bool = True,
    raw: bool = False,
    min_confidence: float = 0.0,
    faces_are_cropped: bool = False,
    min_face: float = MIN_FACE,
    max_side: int = MAX_SIDE,
    threshold: float = THRESHOLDS[2],
    every: float = EVERY,
    smooth: float = 0.0,
) -> Iterator[PictureResult]:
    """The faces and their expressions in pictures, one result a picture or frame of a video, in order, as they are
    asked for.

    `pictures` is one of these or any iterable of them, a generator included: a path (a folder or an archive stands
    for the pictures in it), a NumPy array of uint8, RGB [H, W, 3] or gray [H, W], or an image of Pillow's. A generator
    is taken from in another thread, as far ahead as pictures are gathered to be searched together: 128 small ones at
    most at each of three stages, few large ones. Whether an array is RGB cannot be seen: turn OpenCV's BGR round
    first, `frame[..., ::-1]`. The result of an array has the source 'array N', of an image without a file 'image N',
    where N is its place in the iterable, from 0 on. The rest is as on the command line, with the same defaults; of a
    video, frames are looked at that lie at least `every` seconds apart (0: all), and `smooth` is in seconds too.

    A picture that cannot be read is a result of the status 'failed' with its message. Raises ModelError, UsageError
    or MachineError at once, for a model or device that is not there; TypeError or ValueError for an item of another
    kind or shape, when it is reached.
    """
    check_share(min_confidence)
    search = SearchSettings(min_face, max_side, threshold, faces_are_cropped)
    video = VideoSettings(every, smooth)
    where = pick_device(device)
    items = _items(pictures)
    network = load_model(model, model_device(model, device), mirrored=tta, raw=raw)
    finder = search.finder(str(where))
    stages = Stages(every=video.every, smooth=video.smooth, min_confidence=min_confidence)
    return predict_read(_pictures(items, recursive, video.every), network, finder, stages)


def _items(pictures: Any) -> Iterable[Any]:
    """What was given, as an iterable of single inputs."""
    if isinstance(pictures, np.ndarray):
        return [_rgb(pictures)]
    if isinstance(pictures, str | os.PathLike | Image.Image):
        return [pictures]
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise _unknown(pictures)
    return pictures


def _pictures(items: Iterable[Any], recursive: bool, every: float) -> Iterator[Picture]:
    """The items' pictures in order: neighbouring files are decoded side by side."""
    for kind, group in groupby(_inputs(items, recursive), type):
        if kind is Source:
            yield from read_pictures(cast(Iterator[Source], group), every)
        elif kind is Picture:
            yield from cast(Iterator[Picture], group)
        else:
            raise cast(Exception, next(group))


def _inputs(items: Iterable[Any], recursive: bool) -> Iterator[Source | Picture | Exception]:
    """Each item as something to read or read already. An error is an item too: those before it come first."""
    try:
        for number, item in enumerate(items):
            if isinstance(item, str | os.PathLike):
                yield from expand_path(Path(item), recursive)
            elif isinstance(item, np.ndarray):
                yield Picture(_named(f"array {number}"), _rgb(item))
            elif isinstance(item, Image.Image):
                yield _image(item, number)
            else:
                raise _unknown(item)
    except Exception as error:
        yield error


def _named(name: str) -> Source:
    return Source(Path(name), Path(name))


def _image(image: Image.Image, number: int) -> Picture:
    source = _named(str(getattr(image, "filename", "")) or f"image {number}")
    try:
        return Picture(source, image_to_rgb(image))
    except Exception as error:  # of a damaged file Pillow raises almost anything
        return Picture(source, None, f"cannot be read: {' '.join(str(error).split())}")


def _rgb(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """A copy as RGB [H, W, 3] uint8: the caller may reuse its array. Raises TypeError or ValueError for others."""
    if pixels.dtype != np.uint8:
        scaled = ": multiply values of 0 to 1 by 255, then .astype(np.uint8)" if pixels.dtype.kind == "f" else ""
        raise TypeError(f"an array of {pixels.dtype}, not uint8{scaled}")
    if pixels.ndim == 4:
        raise ValueError(f"an array of the shape {pixels.shape}: pass its pictures one by one, list(array)")
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise ValueError(f"an array of the shape {pixels.shape}, not RGB (H, W, 3) or gray (H, W)")
    return np.array(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), order="C")


def _unknown(item: object) -> TypeError:
    return TypeError(f"{type(item).__name__} is no picture: give paths, NumPy arrays (uint8, RGB) or Pillow images")
