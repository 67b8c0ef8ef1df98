"""MTCNN's search (Zhang et al. 2016) through many pictures at once: the networks and the results of facenet-pytorch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.faces.mtcnn.boxes import Candidates, inside, squares
from fercli.faces.mtcnn.integral_image import Sums
from fercli.faces.mtcnn.packing import Place, packed
from fercli.faces.mtcnn.pnet import CELLS, SIDE, CellNetwork, Cells, Lying, find_cells
from fercli.faces.mtcnn.pyramid import CELL, MARGIN, STRIDE, Level, levels, pieces

T = TypeVar("T")
R = TypeVar("R")

#: What goes through the networks together on a processor and on a GPU: canvases, and crops.
_CANVASES = {"cpu": 2, "cuda": 64}
_CROPS = {"cpu": 16, "cuda": 2048}


class Search:
    """MTCNN's three networks and the search with them. Holds threads, which end with it; no state between searches."""

    def __init__(self, device: torch.device, thresholds: tuple[float, float, float]) -> None:
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._device, self._thresholds = device, thresholds
        networks = CellNetwork(PNet()), RNet(), ONet()
        self._pnet, self._rnet, self._onet = (network.eval().to(device) for network in networks)
        # a GPU has its own
        self._pool = ThreadPoolExecutor(torch.get_num_threads() if device.type == "cpu" else 1)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]], min_faces: Sequence[float]) -> Candidates:
        """The faces of at least so many pixels in RGB pictures [H, W, 3], owned by the pictures' numbers."""
        with _one_thread_each(), torch.inference_mode():
            sums = self._each(lambda picture: Sums(picture, self._device), pictures)
            found = _squared(self._proposed(sums, min_faces), 0)
            found = _squared(self._judged(self._rnet, 24, self._thresholds[1], sums, found).best(0.7), 1)
            found = self._judged(self._onet, 48, self._thresholds[2], sums, found)
            return found._replace(boxes=found.moved(1)).best_of_smaller(0.7)

    def _each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        return list(self._pool.map(torch.inference_mode()(work), items))

    def _proposed(self, sums: Sequence[Sums], min_faces: Sequence[float]) -> Candidates:
        """What the first network takes for faces, at every size of every picture."""
        sizes = [
            (picture, level)
            for picture, (one, least) in enumerate(zip(sums, min_faces, strict=True))
            for level in levels(one.height, one.width, least)
        ]
        if not sizes:
            return _NOTHING
        found = self._each(
            lambda lying: find_cells(self._pnet, lying, self._thresholds[0]),
            _batches(sizes, sums, _CANVASES[self._device.type]),
        )
        cells = Cells(*(torch.cat(parts) for parts in zip(*found, strict=True)))
        scales = torch.tensor([level.scale for _, level in sizes], dtype=torch.float32)[cells.levels, None]
        corner = STRIDE * cells.places.flip(1).float()
        boxes = torch.cat([((corner + 1) / scales).floor(), ((corner + CELL) / scales).floor()], 1)
        found_here = Candidates(cells.levels, boxes, cells.scores, cells.shifts, boxes.new_empty(len(boxes), 0, 2))
        # as if each level had been searched whole: of equal scores the first counts
        in_order = found_here.at(((cells.levels << 40) + (cells.places[:, 0] << 20) + cells.places[:, 1]).argsort())
        best = in_order.best(0.5)
        return best._replace(owners=torch.tensor([picture for picture, _ in sizes])[best.owners]).best(0.7)

    def _judged(
        self, network: nn.Module, side: int, threshold: float, sums: Sequence[Sums], found: Candidates
    ) -> Candidates:
        """What another network, which sees `side` × `side` pixels of each box, says of these."""
        whole = inside(found.boxes, torch.tensor([(one.width, one.height) for one in sums])[found.owners])
        there = (whole[:, 2:] > whole[:, :2]).all(1)
        found, whole = found.at(there), whole[there]
        if not len(whole):
            return _NOTHING

        def judge(part: tuple[Tensor, Tensor]) -> list[Tensor]:
            pictures, counts = part[0].unique_consecutive(return_counts=True)
            boxes = zip(pictures.tolist(), part[1].split(counts.tolist()), strict=True)
            crops = torch.cat([sums[picture].crops(some, side) for picture, some in boxes])
            # always as many: libraries add up in another order for other numbers, and a face found must not depend on
            # what is searched beside it
            full = functional.pad(crops, (0, 0, 0, 0, 0, 0, 0, most - len(crops)))
            return [out[: len(crops)].cpu() for out in network(full.permute(0, 3, 1, 2))]

        most = _CROPS[self._device.type]
        parts = self._each(judge, zip(found.owners.split(most), whole.split(most), strict=True))
        shifts, *points, shares = (torch.cat(outs) for outs in zip(*parts, strict=True))
        landmarks = _landmarks(found.boxes, points[0]) if points else found.landmarks
        judged = Candidates(found.owners, found.boxes, shares[:, 1], shifts, landmarks)
        return judged.at(judged.scores > threshold)


_NOTHING = Candidates(
    torch.empty(0, dtype=torch.long), torch.empty(0, 4), torch.empty(0), torch.empty(0, 4), torch.empty(0, 0, 2)
)


def _squared(found: Candidates, pixel: int) -> Candidates:
    return found._replace(boxes=squares(found.moved(pixel)))


def _landmarks(boxes: Tensor, shares: Tensor) -> Tensor:
    """Points [N, 5, 2] in pixels from five x, then five y [N, 10] as shares of the boxes' sides."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return torch.stack([shares[:, :5], shares[:, 5:]], 2) * sides[:, None] + boxes[:, None, :2] - 1


def _batches(sizes: Sequence[tuple[int, Level]], sums: Sequence[Sums], together: int) -> list[list[Lying]]:
    """All levels in pieces on canvases, so many canvases together."""
    cut = [(number, piece) for number, (_, level) in enumerate(sizes) for piece in pieces(level, CELLS)]
    places = packed([(piece.rows + MARGIN, piece.columns + MARGIN) for _, piece in cut], SIDE // STRIDE)
    batches: list[list[Lying]] = [[] for _ in range(1 + max(place.canvas for place in places) // together)]
    for (number, piece), place in zip(cut, places, strict=True):
        batch, canvas = divmod(place.canvas, together)
        batches[batch].append(Lying(number, sums[sizes[number][0]], piece, Place(canvas, place.top, place.left)))
    return batches


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """PyTorch's own threads would get in the way of those that search side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
