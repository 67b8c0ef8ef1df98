"""Pictures read as a face set: each picture whole, or the largest face that MTCNN finds in a photograph."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fercli.core.errors import DataError, PictureError, RunError
from fercli.core.files import written_whole
from fercli.core.labels import EXPRESSIONS, ordered
from fercli.core.parse import parse_json
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.text import escape_name, list_examples
from fercli.data.cache import cache_folder
from fercli.data.faceset import SIDE, FaceSet
from fercli.data.sources import Reader
from fercli.faces.crop import MARGIN, crop_face, squeeze_to_face
from fercli.faces.detection import Detection
from fercli.faces.io.compression import DamagedError
from fercli.faces.io.decode import reduce_picture
from fercli.faces.mtcnn.detector import BATCH_PIXELS, MIN_FACE, THRESHOLDS, Detector

T = TypeVar("T")

#: Photographs whose faces are kept together once found: what an interruption can cost at most.
_CHUNK = 128
#: Photographs in memory at once, searched together, unless they are large.
_BATCH = 16
#: Part of every chunk's key: raise the number when faces are found or cut out differently than before.
DETECTOR_KEY = f"3 {MIN_FACE} {THRESHOLDS} {MARGIN}"
#: The reason that stands for a photograph without a face.
NO_FACE = "no face found"
#: Pictures are taken for whole photographs when the median longer side is over this many pixels …
_LARGE = 256
#: … or when most are longer than wide, or wider than long, by more than this.
_OBLONG = 1.25


@dataclass(frozen=True)
class Face:
    """A picture as a face [48, 48] uint8, and the size (width, height) it had."""

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def read_rgb(reader: Reader, name: str) -> NDArray[np.uint8] | str:
    """A picture's pixels, RGB [H, W, 3], or the reason why it cannot be read. Raises DamagedError for its archive."""
    return _reduce(reader, name, lambda pixels: pixels)


def _reduce(reader: Reader, name: str, reduce: Callable[[NDArray[np.uint8]], T]) -> T | str:
    """What `reduce` makes of a picture's pixels, or the reason why it cannot be read. Raises DamagedError."""
    try:
        return reduce_picture(reader(name), reduce)
    except DamagedError:
        raise
    except PictureError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def read_crops(names: Sequence[str], reader: Reader) -> list[Face | str]:
    """Each picture as `squeeze_to_face` makes a face of it; in place of one that cannot be read stands the reason."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda name: _reduce(reader, name, _squeeze), names))


def _squeeze(pixels: NDArray[np.uint8]) -> Face:
    height, width = pixels.shape[:2]
    return Face(squeeze_to_face(pixels), (width, height))


def find_faces(names: Sequence[str], reader: Reader, progress: ProgressCallback) -> list[Face | str]:
    """The largest face that MTCNN finds in each photograph, cut out as `fer predict` does; in place of one without
    a face, or that cannot be read, stands the reason.

    What is found is cached in chunks, by the photographs' content, so that interrupted work is resumed.
    Raises MachineError where OpenCV cannot be loaded.
    """
    faces: list[Face | str] = []
    detector: Detector | None = None
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        path = cache_folder() / f"faces-{_hash_contents(chunk, reader)}.safetensors"
        found = _read_chunk(path, len(chunk))
        if found is None:
            detector, found = detector or Detector(), []
            for batch in _read_batches(chunk, reader):
                progress(start + len(found), len(names), "looking for faces")
                found += _find_largest(batch, detector)
                del batch  # it may be large: the next is read without it
            with suppress(RunError, OSError):
                _write_chunk(path, found)
        faces += found
    progress(len(names), len(names), "looking for faces")
    return faces


def _read_batches(names: Sequence[str], reader: Reader) -> Iterator[list[NDArray[np.uint8] | str]]:
    """The photographs in batches of up to _BATCH, which end once they have as many pixels as are searched together."""
    batch: list[NDArray[np.uint8] | str] = []
    pixels = 0
    for name in names:
        batch.append(picture := read_rgb(reader, name))
        pixels += 0 if isinstance(picture, str) else picture.shape[0] * picture.shape[1]
        del picture
        if len(batch) == _BATCH or pixels >= BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _find_largest(pictures: Sequence[NDArray[np.uint8] | str], detector: Detector) -> list[Face | str]:
    """The largest face in each, cut out; a reason stays a reason."""
    detections = iter(detector.find_all([picture for picture in pictures if not isinstance(picture, str)]))
    return [picture if isinstance(picture, str) else _crop_largest(picture, next(detections)) for picture in pictures]


def _crop_largest(picture: NDArray[np.uint8], detections: list[Detection] | PictureError) -> Face | str:
    if isinstance(detections, PictureError):
        return str(detections)
    if not detections:
        return NO_FACE
    largest = max(detections, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
    return Face(crop_face(picture, largest), (SIDE, SIDE))


def _hash_contents(names: Sequence[str], reader: Reader) -> str:
    """The SHA-256 of photographs' contents; one that cannot be read counts as empty."""
    digest = hashlib.sha256(DETECTOR_KEY.encode())
    for name in names:
        try:
            content = reader(name)
        except DamagedError:
            raise
        except (PictureError, OSError):
            content = b""
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _write_chunk(path: Path, faces: list[Face | str]) -> None:
    blank = np.zeros((SIDE, SIDE), np.uint8)
    pixels = np.stack([blank if isinstance(face, str) else face.pixels for face in faces])
    reasons = json.dumps([face if isinstance(face, str) else "" for face in faces])
    header = {"reasons": reasons, "checksum": hashlib.sha256(pixels.tobytes()).hexdigest()}
    with written_whole(path) as temporary:
        temporary.write_bytes(save({"faces": pixels}, header))


def _read_chunk(path: Path, count: int) -> list[Face | str] | None:
    """A chunk found before; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="numpy") as file:
            header, pixels = file.metadata(), file.get_tensor("faces")
        reasons: list[str] = parse_json(header["reasons"])
        intact = header["checksum"] == hashlib.sha256(pixels.tobytes()).hexdigest() and len(reasons) == count
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    if not intact:
        return None
    return [reason or Face(face, (SIDE, SIDE)) for face, reason in zip(pixels, reasons, strict=True)]


@dataclass(frozen=True)
class LabelledPicture:
    """A picture by its name in its source: the class it shows, and the subject and the split ('train', 'val' or
    'test') that it belongs to, '' where these are not known."""

    name: str
    label: str
    subject: str = ""
    split: str = ""


def read_labelled_pictures(
    path: Path,
    pictures: Sequence[LabelledPicture],
    reader: Reader,
    *,
    name: str | None = None,
    detect: bool = False,
    notes: Iterable[str] = (),
    progress: ProgressCallback = no_progress,
) -> FaceSet:
    """The face set of pictures in a folder or archive `path`, called `name` or as `path` is.

    Pictures are turned gray and, unless they are 48×48, squeezed to it; with `detect` they are photographs, and the
    largest face that MTCNN finds in each is taken. Ids are the pictures' names. When all labels are among the seven
    expressions, those are the classes; otherwise the labels found are. Subjects and splits are the set's where one
    picture has a subject and all have a split. What is left out or looks wrong is told in the notes, after `notes`.

    Raises DataError where no picture is there, can be read or has a face, and where all are of one class.
    """
    if not pictures:
        raise DataError(f"{path}: no pictures with a label in it")
    _list_classes(path, {picture.label for picture in pictures})  # before minutes are spent on looking for faces
    names = [picture.name for picture in pictures]
    faces = find_faces(names, reader, progress) if detect else read_crops(names, reader)
    faults = [(picture.name, fault) for picture, fault in zip(pictures, faces, strict=True) if isinstance(fault, str)]
    kept = [(picture, face) for picture, face in zip(pictures, faces, strict=True) if not isinstance(face, str)]
    if not kept and detect:
        raise DataError(f"{path}: no face in any of {len(pictures)} pictures; {faults[0][0]}: {faults[0][1]}")
    if not kept:
        raise DataError(f"{path}: none of {len(pictures)} pictures can be read; {faults[0][0]}: {faults[0][1]}")
    all_notes = [*notes, *_list_faults(faults), *([] if detect else _suspect_photographs(kept))]
    return _make_set(path, name or name_of(path), kept, all_notes)


def name_of(path: Path) -> str:
    """What a set is called by its folder or archive."""
    return escape_name(path.resolve().name if path.is_dir() else path.stem.removesuffix(".tar")) or "folder"


def _make_set(path: Path, name: str, kept: list[tuple[LabelledPicture, Face]], notes: list[str]) -> FaceSet:
    labels = {picture.label for picture, _ in kept}
    classes = _list_classes(path, labels)
    if absent := [name for name in classes if name not in labels]:
        notes.append(f"there are no pictures of {', '.join(absent)}")
    splits = [picture.split for picture, _ in kept]
    subjects = tuple(picture.subject for picture, _ in kept)
    if any(subjects) and not all(subjects):
        notes.append(f"{subjects.count(''):,} of {len(kept):,} faces have no subject ID")
    return FaceSet(
        name=name,
        images=np.stack([face.pixels for _, face in kept])[:, None],
        labels=np.array([classes.index(picture.label) for picture, _ in kept], dtype=np.int64),
        classes=classes,
        ids=tuple(escape_name(picture.name) for picture, _ in kept),
        subjects=subjects if any(subjects) else None,
        splits=np.array(splits) if all(splits) else None,
        notes=tuple(notes),
    )


def _list_classes(path: Path, labels: set[str]) -> tuple[str, ...]:
    if labels <= set(EXPRESSIONS):
        return EXPRESSIONS
    if len(labels) == 1:
        raise DataError(f"{path}: all pictures are of one class, {labels.pop()!r}")
    return ordered(labels)


def _list_faults(faults: list[tuple[str, str]]) -> list[str]:
    """What is left out because it has no face, and because it cannot be read."""
    no_face = [name for name, reason in faults if reason == NO_FACE]
    damaged = [f"{name} ({reason})" for name, reason in faults if reason != NO_FACE]
    return [f"left out {list_examples(no_face)} in which no face is found"] * bool(no_face) + [
        f"left out {list_examples(damaged)} that cannot be read"
    ] * bool(damaged)


def _suspect_photographs(kept: list[tuple[LabelledPicture, Face]]) -> list[str]:
    shorter, longer = np.sort(np.array([face.size for _, face in kept]), axis=1).T
    if np.median(longer) <= _LARGE and np.mean(longer > _OBLONG * shorter) <= 0.5:
        return []
    return [
        f"these look like whole photographs (median longer side {np.median(longer):.0f} pixels), not like face "
        "crops: --detect finds the face in each and crops it"
    ]
