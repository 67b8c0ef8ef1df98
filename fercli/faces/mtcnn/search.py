"""MTCNN's search (Zhang et al. 2016) through many pictures at once, with facenet-pytorch's networks and results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.faces.mtcnn.boxes import Candidates, clip_to_images, make_square
from fercli.faces.mtcnn.integral_image import IntegralImage
from fercli.faces.mtcnn.pnet import FastPNet, Proposals, find_proposals
from fercli.faces.mtcnn.pyramid import CELL_SIDE, STRIDE, Level, build_levels, pack_levels

T = TypeVar("T")
R = TypeVar("R")

#: Batch sizes on a CPU and on a GPU: canvases for the first network, crops for the other two.
_CANVASES_PER_BATCH = {"cpu": 2, "cuda": 64}
_CROPS_PER_BATCH = {"cpu": 16, "cuda": 2048}


class Search:
    """MTCNN's three networks and the search with them. It has threads, which end with it, but no state between
    searches."""

    def __init__(self, device: torch.device, thresholds: tuple[float, float, float]) -> None:
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._device, self._thresholds = device, thresholds
        networks = FastPNet(PNet()), RNet(), ONet()
        self._pnet, self._rnet, self._onet = (network.eval().to(device) for network in networks)
        # a GPU is parallel by itself
        self._pool = ThreadPoolExecutor(torch.get_num_threads() if device.type == "cpu" else 1)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]], min_faces: Sequence[float]) -> Candidates:
        """The faces in RGB pictures [H, W, 3], with the pictures' indices as image IDs.

        `min_faces` has the side of the smallest face to find in each picture, in pixels.
        """
        with _single_threaded_torch(), torch.inference_mode():
            images = self._map(lambda picture: IntegralImage(picture, self._device), pictures)
            candidates = _refine_boxes(self._propose(images, min_faces), 0)
            candidates = self._classify(self._rnet, 24, self._thresholds[1], images, candidates).nms(0.7)
            candidates = self._classify(self._onet, 48, self._thresholds[2], images, _refine_boxes(candidates, 1))
            return candidates._replace(boxes=candidates.apply_offsets(1)).nms_min(0.7)

    def _map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item, in threads."""
        return list(self._pool.map(torch.inference_mode()(function), items))

    def _propose(self, images: Sequence[IntegralImage], min_faces: Sequence[float]) -> Candidates:
        """What the first network takes for faces, at every level of every picture."""
        levels = [
            (image_id, level)
            for image_id, (image, min_face) in enumerate(zip(images, min_faces, strict=True))
            for level in build_levels(image.height, image.width, min_face)
        ]
        if not levels:
            return _NO_CANDIDATES
        batches = pack_levels(levels, images, _CANVASES_PER_BATCH[self._device.type])
        outputs = self._map(lambda tiles: find_proposals(self._pnet, tiles, self._thresholds[0]), batches)
        proposals = Proposals(*(torch.cat(values) for values in zip(*outputs, strict=True)))
        # in the order in which a level searched as a whole would give them: of equal scores the first is kept
        order = ((proposals.level_ids << 40) + (proposals.positions[:, 0] << 20) + proposals.positions[:, 1]).argsort()
        kept = _to_candidates(proposals, levels).select(order).nms(0.5)
        image_ids = torch.tensor([image_id for image_id, _ in levels])[kept.image_ids]
        return kept._replace(image_ids=image_ids).nms(0.7)

    def _classify(
        self,
        network: nn.Module,
        side: int,
        threshold: float,
        images: Sequence[IntegralImage],
        candidates: Candidates,
    ) -> Candidates:
        """Keep the candidates that another network, which takes crops of `side` × `side` pixels, takes for faces."""
        sizes = torch.tensor([(image.width, image.height) for image in images])[candidates.image_ids]
        boxes = clip_to_images(candidates.boxes, sizes)
        in_image = (boxes[:, 2:] > boxes[:, :2]).all(1)
        candidates, boxes = candidates.select(in_image), boxes[in_image]
        if not len(boxes):
            return _NO_CANDIDATES
        batch_size = _CROPS_PER_BATCH[self._device.type]

        def run(batch: tuple[Tensor, Tensor]) -> list[Tensor]:
            crops = _crop_boxes(images, *batch, side)
            # the batch size is fixed, because libraries add up in another order for other sizes, and a detection must
            # not depend on what else is searched
            padded = functional.pad(crops, (0, 0, 0, 0, 0, 0, 0, batch_size - len(crops)))
            return [out[: len(crops)].cpu() for out in network(padded.permute(0, 3, 1, 2))]

        batches = zip(candidates.image_ids.split(batch_size), boxes.split(batch_size), strict=True)
        outputs = zip(*self._map(run, batches), strict=True)
        offsets, *points, probabilities = (torch.cat(values) for values in outputs)
        landmarks = _scale_landmarks(candidates.boxes, points[0]) if points else candidates.landmarks
        scores = probabilities[:, 1]
        return Candidates(candidates.image_ids, candidates.boxes, scores, offsets, landmarks).select(scores > threshold)


_NO_CANDIDATES = Candidates(
    torch.empty(0, dtype=torch.long), torch.empty(0, 4), torch.empty(0), torch.empty(0, 4), torch.empty(0, 0, 2)
)


def _to_candidates(proposals: Proposals, levels: Sequence[tuple[int, Level]]) -> Candidates:
    """Cells as boxes in pixels of their pictures, with level indices as image IDs."""
    scales = torch.tensor([level.scale for _, level in levels], dtype=torch.float32)[proposals.level_ids, None]
    corner = STRIDE * proposals.positions.flip(1).float()
    boxes = torch.cat([((corner + 1) / scales).floor(), ((corner + CELL_SIDE) / scales).floor()], 1)
    no_landmarks = boxes.new_empty(len(boxes), 0, 2)
    return Candidates(proposals.level_ids, boxes, proposals.scores, proposals.offsets, no_landmarks)


def _refine_boxes(candidates: Candidates, extra: int) -> Candidates:
    return candidates._replace(boxes=make_square(candidates.apply_offsets(extra)))


def _crop_boxes(images: Sequence[IntegralImage], image_ids: Tensor, boxes: Tensor, side: int) -> Tensor:
    """The boxes [N, 4] cut out of their pictures: [N, side, side, 3]."""
    ids, counts = image_ids.unique_consecutive(return_counts=True)
    groups = zip(ids.tolist(), boxes.split(counts.tolist()), strict=True)
    return torch.cat([images[image_id].crop_and_resize(group, side) for image_id, group in groups])


def _scale_landmarks(boxes: Tensor, fractions: Tensor) -> Tensor:
    """Landmarks [N, 5, 2] in pixels, from five x then five y [N, 10] as fractions of the box's width and height."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return torch.stack([fractions[:, :5], fractions[:, 5:]], 2) * sides[:, None] + boxes[:, None, :2] - 1


@contextmanager
def _single_threaded_torch() -> Iterator[None]:
    """Turn off PyTorch's own threads, which would compete with those of the search."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
