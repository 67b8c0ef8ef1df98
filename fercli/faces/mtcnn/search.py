"""MTCNN's search (Zhang et al. 2016) through many pictures at once, with facenet-pytorch's networks and results."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.faces.mtcnn.boxes import Candidates, clip_to_images, group_by_image, make_square
from fercli.faces.mtcnn.engine import Networks
from fercli.faces.mtcnn.integral_image import IntegralImage
from fercli.faces.mtcnn.pnet import Proposals, find_proposals
from fercli.faces.mtcnn.pyramid import CELL_SIDE, STRIDE, Level, build_levels, pack_levels

T = TypeVar("T")
R = TypeVar("R")


class Search:
    """The search with MTCNN's three networks. It has threads, which end with it, but no state between searches."""

    def __init__(self, networks: Networks, thresholds: tuple[float, float, float]) -> None:
        self._networks, self._thresholds = networks, thresholds
        self._pool = ThreadPoolExecutor(networks.threads)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]], min_faces: Sequence[float]) -> Candidates:
        """The faces in RGB pictures [H, W, 3], with the pictures' indices as image IDs.

        `min_faces` has the side of the smallest face to find in each picture, in pixels.
        """
        networks, (_, for_rnet, for_onet) = self._networks, self._thresholds
        images = self._map(IntegralImage, pictures)
        candidates = _refine_boxes(self._propose(images, min_faces), 0)
        candidates = self._classify(networks.rnet, 24, for_rnet, images, candidates).nms(0.7)
        candidates = self._classify(networks.onet, 48, for_onet, images, _refine_boxes(candidates, 1))
        return candidates._replace(boxes=candidates.apply_offsets(1)).nms_min(0.7)

    def _map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item, in threads."""
        return list(self._pool.map(function, items))

    def _propose(self, images: Sequence[IntegralImage], min_faces: Sequence[float]) -> Candidates:
        """What the first network takes for faces, at every level of every picture."""
        levels = [
            (image_id, level)
            for image_id, (image, min_face) in enumerate(zip(images, min_faces, strict=True))
            for level in build_levels(image.height, image.width, min_face)
        ]
        if not levels:
            return _NO_CANDIDATES
        batches = pack_levels(levels, images, self._networks.canvases_per_batch)
        outputs = self._map(lambda tiles: find_proposals(self._networks.pnet, tiles, self._thresholds[0]), batches)
        proposals = Proposals(*(np.concatenate(values) for values in zip(*outputs, strict=True)))
        # in the order in which a level searched as a whole would give them: of equal scores the first is kept
        order = np.lexsort((proposals.positions[:, 1], proposals.positions[:, 0], proposals.level_ids))
        kept = _to_candidates(proposals, levels).select(order).nms(0.5)
        image_ids = np.array([image_id for image_id, _ in levels])[kept.image_ids]
        return kept._replace(image_ids=image_ids).nms(0.7)

    def _classify(
        self,
        network: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], ...]],
        side: int,
        threshold: float,
        images: Sequence[IntegralImage],
        candidates: Candidates,
    ) -> Candidates:
        """Keep the candidates that another network, which takes crops of `side` × `side` pixels, takes for faces."""
        sizes = np.array([(image.width, image.height) for image in images])[candidates.image_ids]
        boxes = clip_to_images(candidates.boxes, sizes)
        in_image = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        candidates, boxes = candidates.select(in_image), boxes[in_image]
        if not len(boxes):
            return _NO_CANDIDATES
        size = self._networks.crops_per_batch

        def run(start: int) -> list[NDArray[np.float32]]:
            ids = candidates.image_ids[start : start + size]
            # the batch size is fixed, because libraries add up in another order for other sizes, and a detection must
            # not depend on what else is searched
            crops = np.zeros((size, 3, side, side), np.float32)
            crops[: len(ids)] = _crop_boxes(images, ids, boxes[start : start + size], side).transpose(0, 3, 1, 2)
            return [out[: len(ids)] for out in network(crops)]

        outputs = zip(*self._map(run, range(0, len(boxes), size)), strict=True)
        offsets, *points, probabilities = (np.concatenate(values) for values in outputs)
        landmarks = _scale_landmarks(candidates.boxes, points[0]) if points else candidates.landmarks
        scores = probabilities[:, 1]
        return Candidates(candidates.image_ids, candidates.boxes, scores, offsets, landmarks).select(scores > threshold)


def _empty(*shape: int) -> NDArray[np.float32]:
    return np.empty(shape, np.float32)


_NO_CANDIDATES = Candidates(np.empty(0, np.int64), _empty(0, 4), _empty(0), _empty(0, 4), _empty(0, 0, 2))


def _to_candidates(proposals: Proposals, levels: Sequence[tuple[int, Level]]) -> Candidates:
    """Cells as boxes in pixels of their pictures, with level indices as image IDs."""
    scales = np.array([level.scale for _, level in levels], np.float32)[proposals.level_ids, None]
    corner = STRIDE * proposals.positions[:, ::-1].astype(np.float32)
    boxes = np.concatenate([np.floor((corner + 1) / scales), np.floor((corner + CELL_SIDE) / scales)], axis=1)
    return Candidates(proposals.level_ids, boxes, proposals.scores, proposals.offsets, _empty(len(boxes), 0, 2))


def _refine_boxes(candidates: Candidates, extra: int) -> Candidates:
    return candidates._replace(boxes=make_square(candidates.apply_offsets(extra)))


def _crop_boxes(
    images: Sequence[IntegralImage], image_ids: NDArray[np.int64], boxes: NDArray[np.int64], side: int
) -> NDArray[np.float32]:
    """The boxes [N, 4] cut out of their pictures: [N, side, side, 3]."""
    groups = group_by_image(image_ids)
    return np.concatenate([images[image_ids[group[0]]].crop_and_resize(boxes[group], side) for group in groups])


def _scale_landmarks(boxes: NDArray[np.float32], fractions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks [N, 5, 2] in pixels, from five x then five y [N, 10] as fractions of the box's width and height."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return np.stack([fractions[:, :5], fractions[:, 5:]], axis=2) * sides[:, None] + boxes[:, None, :2] - 1
