"""From pictures to expressions: faces found and classified in batches, one result a picture, as they are finished."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.core.engine import may_have_gpu
from fercli.core.errors import PictureError, UsageError
from fercli.faces.crop import crop_face
from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture, prefetch, prefetch_batches, read_pictures
from fercli.faces.io.sources import Source
from fercli.faces.mtcnn import detector
from fercli.faces.mtcnn.detector import BATCH_PIXELS
from fercli.faces.quality import measure_blur
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import UNSURE, FacePrediction, PictureResult, Predicted, Status, make_prediction

if TYPE_CHECKING:
    from fercli.models.load import Model
    from fercli.models.onnx_model import OnnxModel

#: The cost of pictures whose faces are classified before their results are asked for.
AHEAD = BATCH_PIXELS
#: What any picture costs at least: at most 128 are searched together.
MIN_COST = BATCH_PIXELS // 128

#: What is done with predictions on their way, such as drawing them: the same ones come out.
Stage = Callable[[Iterator[Predicted]], Iterator[Predicted]]

_DEFAULTS = PredictOptions()


class ExpressionModel(Protocol):
    """What a prediction needs of a model; fercli.models.load.Model has it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        ...

    @property
    def faces_per_call(self) -> int:
        """How many faces each call of `probabilities` is given."""
        ...

    @property
    def threads(self) -> int:
        """How many threads call at once."""
        ...

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities [N, classes] of gray faces [N, 1, 48, 48]."""
        ...


class FaceFinder(Protocol):
    """What a prediction needs of a detector; fercli.faces.mtcnn.detector.Detector has it."""

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """The faces in each RGB picture [H, W, 3], from left to right, or why the search failed."""
        ...


def load_networks(options: PredictOptions) -> "tuple[Model | OnnxModel, FaceFinder]":
    """The model and the detector that the options name, on their engines and device.

    Raises ModelError, UsageError or MachineError for a model, setting, engine or device that does not exist here.
    """
    device = choose_device(options)
    return _load_model(options, device), _load_finder(options, device)


def choose_device(options: PredictOptions) -> str:
    """The device, by PyTorch's name. PyTorch itself is only asked where something else than the CPU may be meant.

    Raises UsageError or MachineError as fercli.training.device.pick_device does.
    """
    if options.device == "cpu" or options.engine == "onnx" or (options.device == "auto" and not may_have_gpu()):
        if options.device not in ("auto", "cpu"):
            raise UsageError(f"--engine onnx runs on the CPU, not on {options.device}: leave one out")
        return "cpu"
    from fercli.training.device import pick_device

    return str(pick_device(options.device))


def _load_model(options: PredictOptions, device: str) -> "Model | OnnxModel":
    """In ONNX Runtime where it ships for it, the device is the CPU and nothing needs gradients; else in PyTorch."""
    if device == "cpu" and options.engine != "torch" and not options.needs_pytorch:
        from fercli.models.onnx_model import load_onnx_model
        from fercli.models.weights import ONNX_SUFFIX

        if model := load_onnx_model(options.model, mirrored=options.tta, raw=options.raw):
            return model
        if options.engine == "onnx" and not str(options.model).lower().endswith(ONNX_SUFFIX):
            raise UsageError(
                f"--engine onnx: {options.model} is not for ONNX Runtime: fer export --model {options.model} makes a "
                "file that is, or leave --engine out"
            )
    from fercli.models.load import load_model
    from fercli.training.device import model_device

    where = model_device(options.model, "cpu" if device == "cpu" else options.device)
    return load_model(options.model, where, mirrored=options.tta, raw=options.raw)


def _load_finder(options: PredictOptions, device: str) -> FaceFinder:
    if options.faces_are_cropped:
        from fercli.faces.detection import WholePictureDetector

        return WholePictureDetector()
    thresholds = (*detector.THRESHOLDS[:2], options.threshold)
    return detector.Detector(device, options.min_face, thresholds, options.max_side, options.engine)


def predict_sources(
    sources: Iterable[Source],
    model: ExpressionModel,
    finder: FaceFinder,
    options: PredictOptions = _DEFAULTS,
    stages: Sequence[Stage] = (),
) -> Iterator[PictureResult]:
    """The expressions in each source, in order; a picture that cannot be read is a result with its reason.

    A video gives a result for each sampled frame, with faces followed from frame to frame. `stages` see all
    predictions on their way, with the pictures. Raises RunError where a stage cannot write its files.
    """
    return predict_pictures(read_pictures(sources, options.every), model, finder, options, stages)


def predict_pictures(
    pictures: Iterable[Picture],
    model: ExpressionModel,
    finder: FaceFinder,
    options: PredictOptions = _DEFAULTS,
    stages: Sequence[Stage] = (),
) -> Iterator[PictureResult]:
    """The same for pictures and frames that are read already, or are being read."""
    classified = classify_faces(pictures, model, finder, options.max_faces)
    predicted = _follow_people(prefetch(classified, AHEAD, lambda item: pixel_cost(item.picture)), options.smooth)
    if options.min_confidence:
        predicted = mark_unsure(predicted, options.min_confidence)
    for stage in stages:
        predicted = stage(predicted)
    yield from map(attrgetter("result"), predicted)


def classify_faces(
    pictures: Iterable[Picture], model: ExpressionModel, finder: FaceFinder, max_faces: int = 0
) -> Iterator[Predicted]:
    """The expressions in each picture, in order; a picture that cannot be read is a result with its reason.

    With `max_faces`, only so many of the largest faces of each picture count. Pictures that have arrived meanwhile are
    searched together, one that arrives alone at once.
    """
    for batch in prefetch_batches(pictures, BATCH_PIXELS, BATCH_PIXELS, pixel_cost):
        yield from classify_batch(batch, model, finder, max_faces)
        del batch  # it may be large: the next is read without it


def pixel_cost(picture: Picture) -> float:
    """What a picture costs in a batch, or where pictures wait: its pixels, if it has many."""
    return max(MIN_COST, 0 if picture.pixels is None else picture.pixels.shape[0] * picture.pixels.shape[1])


def mark_unsure(predicted: Iterable[Predicted], min_confidence: float) -> Iterator[Predicted]:
    """The same, with the label 'unsure' where the confidence is lower, 0 to 1; the probabilities stay."""
    for item in predicted:
        faces = tuple(
            replace(face, label=UNSURE) if face.confidence < min_confidence else face for face in item.result.faces
        )
        yield replace(item, result=replace(item.result, faces=faces))


def _follow_people(predicted: Iterator[Predicted], smooth: float) -> Iterator[Predicted]:
    """The same, from the first frame of a video on with tracks and, where wanted, smoothed expressions: what only
    videos need is not loaded for pictures."""
    for item in predicted:
        if item.result.time is None:
            yield item
            del item
            continue
        from fercli.workflows.predict.video import smooth_expressions, track_people

        tracked = track_people(chain([item], predicted))
        yield from smooth_expressions(tracked, smooth) if smooth else tracked


def classify_batch(
    batch: Sequence[Picture], model: ExpressionModel, finder: FaceFinder, max_faces: int
) -> Iterator[Predicted]:
    """All faces of the batch are found in one call and classified in another."""
    searched = [picture.pixels for picture in batch if picture.pixels is not None]
    found = (_keep_largest(faces, max_faces) for faces in (finder.find_all(searched) if searched else []))
    faces = [PictureError(picture.error) if picture.pixels is None else next(found) for picture in batch]
    crops = [
        crop_face(picture.pixels, detection)
        for picture, detections in zip(batch, faces, strict=True)
        if picture.pixels is not None and not isinstance(detections, PictureError)
        for detection in detections
    ]
    probabilities, blurs = _classify_crops(model, crops), map(measure_blur, crops)
    for picture, detections in zip(batch, faces, strict=True):
        yield Predicted(picture, _make_result(picture, detections, probabilities, blurs, model.classes))


def _keep_largest(faces: list[Detection] | PictureError, most: int) -> list[Detection] | PictureError:
    """The `most` largest faces, by the area of their boxes, in their order; all for 0."""
    if not most or isinstance(faces, PictureError):
        return faces
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (face.box for face in faces)]
    largest = sorted(range(len(faces)), key=areas.__getitem__, reverse=True)[:most]
    return [faces[index] for index in sorted(largest)]


def _classify_crops(model: ExpressionModel, crops: Sequence[NDArray[np.uint8]]) -> Iterator[list[float]]:
    """The probabilities of each crop [48, 48], which do not depend on what else is in the batch: every call has the
    same number of faces, since libraries add up in another order for other numbers."""
    if not crops:
        return
    size = model.faces_per_call
    full = np.pad(np.stack(crops), ((0, -len(crops) % size), (0, 0), (0, 0)))[:, None]
    calls = [full[start : start + size] for start in range(0, len(full), size)]
    if model.threads == 1:  # in this thread: PyTorch's threads belong to the one that calls
        outputs = list(map(model.probabilities, calls))
    else:
        with ThreadPoolExecutor(model.threads) as pool:
            outputs = list(pool.map(model.probabilities, calls))
    yield from np.concatenate(outputs)[: len(crops)].tolist()


def _make_result(
    picture: Picture,
    detections: list[Detection] | PictureError,
    probabilities: Iterator[list[float]],
    blurs: Iterator[float],
    classes: tuple[str, ...],
) -> PictureResult:
    """The result of one picture; `probabilities` and `blurs` have those of its faces next."""

    def result(status: Status, message: str = "", faces: tuple[FacePrediction, ...] = ()) -> PictureResult:
        return PictureResult(picture.source.path, status, message, faces, picture.frame, picture.time)

    if isinstance(detections, PictureError):
        return result("failed", str(detections))
    if not detections:
        return result("no face", "no face found")
    faces = (
        make_prediction(number, detection, dict(zip(classes, next(probabilities), strict=True)), next(blurs))
        for number, detection in enumerate(detections, start=1)
    )
    return result("ok", faces=tuple(faces))
