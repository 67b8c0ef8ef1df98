"""MTCNN (Zhang et al. 2016) on ONNX Runtime and NumPy: the search for faces that `fer predict` does."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from pixels import window_means


class Detector:
    """Finds faces with pnet.onnx, rnet.onnx and onet.onnx, which `fer export --with-detector` writes into a folder."""

    def __init__(self, folder: Path) -> None:
        self.pnet, self.rnet, self.onet = (
            onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
            for name in ("pnet", "rnet", "onet")
        )
        settings = json.loads(self.pnet.get_modelmeta().custom_metadata_map["detector"])
        self.thresholds, self.min_face = settings["thresholds"], settings["min_face"]
        self.pyramid, self.max_side = settings["pyramid"], settings["max_side"]

    def find(self, picture: np.ndarray) -> np.ndarray:
        """Boxes [N, 4] (left, top, right, bottom) of faces in an RGB picture [H, W, 3] uint8, from left to right."""
        # the larger the picture, the larger the smallest face
        least = self.min_face * max(1.0, max(picture.shape[:2]) / self.max_side)
        boxes = self._search(picture.astype(np.float32), least)
        return boxes[np.lexsort((boxes[:, 1], boxes[:, 0] + boxes[:, 2]))]

    def _search(self, pixels: np.ndarray, least: float) -> np.ndarray:
        boxes = squares(self._candidates(pixels, least))
        for network, side, threshold in ((self.rnet, 24, self.thresholds[1]), (self.onet, 48, self.thresholds[2])):
            crops, boxes = cut(pixels, boxes, side)
            if not len(boxes):
                return np.empty((0, 4))
            offsets, probabilities = network.run(["boxes", "probabilities"], {"pixels": crops})
            sure = probabilities[:, 1] > threshold
            boxes, offsets, scores = boxes[sure], offsets[sure], probabilities[sure, 1]
            if network is self.rnet:
                kept = best(boxes, scores, 0.7)
                boxes = squares(moved(boxes[kept], offsets[kept], 1))
            else:
                boxes = moved(boxes, offsets, 1)
                boxes = boxes[best(boxes, scores, 0.7, smaller=True)]
        return boxes

    def _candidates(self, pixels: np.ndarray, least: float) -> np.ndarray:
        """What the first network takes for faces, at every size of the pyramid: boxes [N, 4]."""
        height, width = pixels.shape[:2]
        scale, found = 12 / least, [np.empty((0, 9), np.float32)]
        while min(height, width) * scale >= 12:
            small = adaptive(pixels, int(height * scale + 1), int(width * scale + 1))
            offsets, probabilities = self.pnet.run(
                ["boxes", "probabilities"], {"pixels": small.transpose(2, 0, 1)[None]}
            )
            rows, columns = np.nonzero(probabilities[0, 1] >= self.thresholds[0])
            corner = np.stack([columns, rows], 1).astype(np.float32) * 2
            boxes = np.concatenate([np.floor((corner + 1) / scale), np.floor((corner + 12) / scale)], 1)
            scores = probabilities[0, 1, rows, columns]
            kept = best(boxes, scores, 0.5)
            found.append(np.concatenate([boxes, scores[:, None], offsets[0][:, rows, columns].T], 1)[kept])
            scale *= self.pyramid
        every = np.concatenate(found)
        every = every[best(every[:, :4], every[:, 4], 0.7)]
        return moved(every[:, :4], every[:, 5:], 0)


def adaptive(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resized as MTCNN does it: each pixel the mean of the whole pixels that it touches. float32 [height, width, 3]."""
    for axis, count in enumerate((height, width)):
        edges = np.arange(count + 1) * pixels.shape[axis] / count
        pixels = window_means(pixels, np.floor(edges[:-1]), np.ceil(edges[1:]), axis)
    return pixels.astype(np.float32)


def cut(pixels: np.ndarray, boxes: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """What lies in each box and in the picture, as [N, 3, side, side], and the boxes that have anything in it."""
    height, width = pixels.shape[:2]
    left, top = (np.maximum(np.trunc(boxes[:, column]), 1).astype(int) - 1 for column in (0, 1))
    right = np.minimum(np.trunc(boxes[:, 2]), width).astype(int)
    bottom = np.minimum(np.trunc(boxes[:, 3]), height).astype(int)
    there = np.flatnonzero((right > left) & (bottom > top))
    crops = [adaptive(pixels[top[i] : bottom[i], left[i] : right[i]], side, side).transpose(2, 0, 1) for i in there]
    return np.array(crops, np.float32), boxes[there]


def moved(boxes: np.ndarray, offsets: np.ndarray, pixel: int) -> np.ndarray:
    """Boxes whose sides are moved by fractions of their width and height, to which `pixel` is added."""
    sides = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + offsets * np.tile(sides, 2)


def squares(boxes: np.ndarray) -> np.ndarray:
    """Boxes made square around their middles, at their longer side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + (sides - longer) / 2
    return np.concatenate([corner, corner + longer], 1)


def best(boxes: np.ndarray, scores: np.ndarray, limit: float, smaller: bool = False) -> list[int]:
    """The boxes to keep, the surest first: none that shares more than `limit` with a surer one.

    The overlap is of both boxes' union, or, with `smaller`, of the smaller box, sides counted in whole pixels.
    """
    pixel = 1 if smaller else 0
    areas = np.prod(boxes[:, 2:] - boxes[:, :2] + pixel, axis=1)
    # of equal scores, which are common at the end, the one counts that counts in facenet-pytorch
    left, kept = np.argsort(scores)[::-1] if smaller else np.argsort(-scores, kind="stable"), []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(int(first))
        corners = np.maximum(boxes[first, :2], boxes[left, :2]), np.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(corners[1] - corners[0] + pixel, 0), axis=1)
        whole = np.minimum(areas[first], areas[left]) if smaller else areas[first] + areas[left] - shared
        left = left[shared <= limit * whole]
    return kept
