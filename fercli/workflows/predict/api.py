"""`fercli.predict` for pictures that a program has, `fercli.predict_files` for the whole job of the command."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias, Unpack, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.io.decode import image_to_rgb
from fercli.faces.io.pictures import Picture, read_pictures
from fercli.faces.io.sources import Source, expand_path
from fercli.workflows.predict.options import PredictKeywords, PredictOptions
from fercli.workflows.predict.pipeline import load_networks, predict_pictures
from fercli.workflows.predict.results import PictureResult, PredictSummary
from fercli.workflows.predict.run import run_job

StrPath: TypeAlias = str | os.PathLike[str]
#: A file or folder, an array of pixels, or a Pillow image.
Input: TypeAlias = StrPath | NDArray[np.uint8] | Image.Image


def predict(pictures: Input | Iterable[Input], **options: Unpack[PredictKeywords]) -> Iterator[PictureResult]:
    """The faces and their expressions in pictures, one result a picture or frame of a video, in order, as they are
    asked for.

    `pictures` is one of these or any iterable of them, a generator included: a path (a folder or an archive stands
    for the pictures in it), a NumPy array of uint8, RGB [H, W, 3] or gray [H, W], or a Pillow image. A generator
    is consumed in another thread, as far ahead as pictures are gathered to be searched together: 128 small ones at
    most at each of three stages, few large ones. Whether an array is RGB cannot be seen: reverse OpenCV's BGR first,
    `frame[..., ::-1]`. The result of an array has the source 'array N', of an image without a file 'image N', where N
    is its index in the iterable, from 0 on.

    `options` are those of the command line by name, with the same defaults (see
    fercli.workflows.predict.options.PredictOptions): model, device, engine, recursive, tta, raw, min_confidence,
    faces_are_cropped, min_face, max_side, threshold, max_faces, and for videos every and smooth, both in seconds.

    A picture that cannot be read is a result with the status 'failed' and a message. Raises ModelError, UsageError
    or MachineError at once, for an option, model or device that does not exist; TypeError or ValueError for an item of
    another kind or shape, when it is reached.
    """
    chosen = PredictOptions(**options)
    items = _list_items(pictures)
    network, finder = load_networks(chosen)
    return predict_pictures(_read_items(items, chosen.recursive, chosen.every), network, finder, chosen)


def predict_files(
    inputs: StrPath | Iterable[StrPath] = (),
    output: StrPath | None = None,
    *,
    from_file: StrPath | None = None,
    annotate: StrPath | None = None,
    explain: StrPath | None = None,
    report: StrPath | None = None,
    save_crops: StrPath | None = None,
    embeddings: StrPath | None = None,
    by_person: StrPath | None = None,
    resume: bool = False,
    force: bool = False,
    **options: Unpack[PredictKeywords],
) -> PredictSummary:
    """Do what `fer predict` does: predict the expressions in pictures and videos and write them to files.

    `inputs` are paths of pictures, videos, folders and archives, and patterns. The rows go to `output`, in the form
    that its ending names (.csv, .jsonl, .json or .parquet; docs/output.md has the columns), annotated pictures to the
    folder `annotate`, Grad-CAM pictures to the folder `explain`, a page to `report`, the faces
    as pictures to the folder `save_crops`, embeddings to a .parquet or .npz file, a row a person
    of a video to the .csv file `by_person`. `resume` continues an interrupted
    job or adds pictures to a complete one; `force` replaces what exists. The other options are those of `predict`.

    Returns counts and the paths that were written. Inputs that cannot be read are rows with the status 'failed', and
    are counted. Raises FerError with a message that says what to change; KeyboardInterrupt after Ctrl-C, when what is
    finished is written.
    """
    paths = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    chosen = PredictOptions(
        output=_to_path(output),
        from_file=_to_path(from_file),
        annotate=_to_path(annotate),
        explain=_to_path(explain),
        report=_to_path(report),
        save_crops=_to_path(save_crops),
        embeddings=_to_path(embeddings),
        by_person=_to_path(by_person),
        resume=resume,
        force=force,
        **options,
    )
    summary = run_job([Path(path) for path in paths], chosen)
    if summary.interrupted:
        raise KeyboardInterrupt
    return summary


def _to_path(path: StrPath | None) -> Path | None:
    return None if path is None else Path(path)


def _list_items(pictures: Any) -> Iterable[Any]:
    """What was given, as an iterable of single inputs."""
    if isinstance(pictures, np.ndarray):
        return [_to_rgb(pictures)]
    if isinstance(pictures, str | os.PathLike | Image.Image):
        return [pictures]
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise _wrong_type(pictures)
    return pictures


def _read_items(items: Iterable[Any], recursive: bool, every: float) -> Iterator[Picture]:
    """The items' pictures in order: neighbouring files are decoded side by side."""
    for kind, group in groupby(_find_items(items, recursive), type):
        if kind is Source:
            yield from read_pictures(cast(Iterator[Source], group), every)
        elif kind is Picture:
            yield from cast(Iterator[Picture], group)
        else:
            raise cast(Exception, next(group))


def _find_items(items: Iterable[Any], recursive: bool) -> Iterator[Source | Picture | Exception]:
    """Each item as a source to read or a picture. An error is an item too: those before it come first."""
    try:
        for index, item in enumerate(items):
            if isinstance(item, str | os.PathLike):
                yield from expand_path(Path(item), recursive)
            elif isinstance(item, np.ndarray):
                yield Picture(_name_source(f"array {index}"), _to_rgb(item))
            elif isinstance(item, Image.Image):
                yield _decode_image(item, index)
            else:
                raise _wrong_type(item)
    except Exception as error:
        yield error


def _name_source(name: str) -> Source:
    return Source(Path(name), Path(name))


def _decode_image(image: Image.Image, index: int) -> Picture:
    source = _name_source(str(getattr(image, "filename", "")) or f"image {index}")
    try:
        return Picture(source, image_to_rgb(image))
    except Exception as error:  # of a damaged file Pillow raises almost anything
        return Picture(source, None, f"cannot be read: {' '.join(str(error).split())}")


def _to_rgb(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """A copy as RGB [H, W, 3] uint8: the caller may reuse its array. Raises TypeError or ValueError for others."""
    if pixels.dtype != np.uint8:
        scaled = ": multiply values of 0 to 1 by 255, then .astype(np.uint8)" if pixels.dtype.kind == "f" else ""
        raise TypeError(f"an array of {pixels.dtype}, not uint8{scaled}")
    if pixels.ndim == 4:
        raise ValueError(f"an array of the shape {pixels.shape}: pass its pictures one by one, list(array)")
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise ValueError(f"an array of the shape {pixels.shape}, not RGB (H, W, 3) or gray (H, W)")
    return np.array(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), order="C")


def _wrong_type(item: object) -> TypeError:
    return TypeError(f"{type(item).__name__} is no picture: give paths, NumPy arrays (uint8, RGB) or Pillow images")
