"""The batched search gives the same detections as facenet-pytorch, which takes one picture at a time."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from fercli.faces.io.decode import read_picture
from fercli.faces.mtcnn.detector import Detector


@pytest.fixture(scope="module")
def mosaic(portrait):
    """A picture of 701 × 901 pixels with faces of many sizes, some cut off at its edges."""
    canvas = np.full((701, 901, 3), 90, np.uint8)
    for left, top, side in ((0, 0, 400), (420, 10, 230), (660, 0, 150), (440, 300, 300), (820, 20, 81), (10, 500, 201)):
        small = cv2.resize(portrait, (side, side * 6 // 5), interpolation=cv2.INTER_AREA)
        part = canvas[top : top + small.shape[0], left : left + side]
        part[:] = small[: part.shape[0], : part.shape[1]]
    return canvas


@pytest.fixture(scope="module")
def pictures(portrait, mosaic):
    """Pictures of several tiles, with odd and even sides, a strip, and some without faces."""
    noise = np.random.default_rng(0).integers(0, 256, (90, 133, 3)).astype(np.uint8)
    black = np.zeros((64, 300, 3), np.uint8)
    strip = np.ascontiguousarray(mosaic[:1])
    turned = np.ascontiguousarray(mosaic.transpose(1, 0, 2)[::-1])
    return [portrait, noise, mosaic, strip, black, turned, np.ascontiguousarray(portrait[37:, 101:]), mosaic[:, :600]]


def as_arrays(detections):
    """Boxes, landmarks and scores [N, 15], sorted by box."""
    faces = sorted(detections, key=lambda face: face.box)
    rows = [[*face.box, *np.ravel(face.landmarks), 1000 * face.score] for face in faces]
    return np.array(rows).reshape(len(faces), 15)


def facenet(oracle, picture):
    boxes, scores, landmarks = oracle.detect(np.ascontiguousarray(picture), landmarks=True)
    if boxes is None:
        return np.empty((0, 15))
    rows = [
        [*box, *np.ravel(points), 1000 * score] for box, score, points in zip(boxes, scores, landmarks, strict=True)
    ]
    return np.array(sorted(rows), float)


@pytest.mark.slow
@pytest.mark.skipif("FER_DATA" not in os.environ, reason="FER_DATA does not say where muxspace lies")
@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_real_photographs_have_the_faces_of_facenet_pytorch(engine):
    paths = sorted(Path(os.environ["FER_DATA"], "muxspace", "images").glob("*.jpg"))
    if not paths:
        pytest.skip("no muxspace/images in FER_DATA")
    photographs = [read_picture(path) for path in paths[:: max(1, len(paths) // 200)]]
    oracle = MTCNN(keep_all=True)
    found = Detector(engine=engine).find_all(photographs)
    wanted = [facenet(oracle, photograph) for photograph in photographs]
    same = [
        len(one) == len(other) and np.allclose(as_arrays(one), other, atol=0.05)
        for one, other in zip(found, wanted, strict=True)
    ]
    assert np.mean(same) >= 0.99


@pytest.mark.parametrize(("min_face", "engine"), [(20, "onnx"), (33.7, "onnx"), (20, "torch")])
def test_the_faces_are_those_of_facenet_pytorch(pictures, min_face, engine):
    oracle = MTCNN(keep_all=True, min_face_size=min_face)
    found = Detector(min_face=min_face, max_side=0, engine=engine).find_all(pictures)
    assert sum(map(len, found)) >= 10
    for number, (picture, faces) in enumerate(zip(pictures, found, strict=True)):
        if min(picture.shape[:2]) < min_face:  # facenet-pytorch fails on these
            assert faces == []
            continue
        np.testing.assert_allclose(as_arrays(faces), facenet(oracle, picture), rtol=0, atol=0.05, err_msg=str(number))


def test_a_larger_picture_is_searched_as_if_it_had_been_shrunk(mosaic):
    oracle = MTCNN(keep_all=True, min_face_size=20 * 901 / 300)
    (faces,) = Detector(max_side=300).find_all([mosaic])
    np.testing.assert_allclose(as_arrays(faces), facenet(oracle, mosaic), rtol=0, atol=0.05)
    assert Detector(min_face=70, max_side=300).smallest_face(701, 901) == 70


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_detections_do_not_depend_on_the_batch(pictures, engine, monkeypatch):
    detector = Detector(engine=engine)
    together, backwards = detector.find_all(pictures), detector.find_all(pictures[::-1])[::-1]
    monkeypatch.setattr("fercli.faces.mtcnn.detector.BATCH_PIXELS", 400_000)
    in_groups = detector.find_all(pictures)
    for number, picture in enumerate(pictures):
        alone = as_arrays(detector.find(picture))
        for other in (together[number], backwards[number], in_groups[number]):
            np.testing.assert_array_equal(as_arrays(other), alone, err_msg=str(number))


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_detections_do_not_depend_on_threads_and_the_setting_is_restored(pictures, engine, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        wanted = Detector(engine=engine).find_all(pictures)
        monkeypatch.setenv("OMP_NUM_THREADS", "5")
        torch.set_num_threads(5)
        assert Detector(engine=engine).find_all(pictures) == wanted
        assert torch.get_num_threads() == 5
    finally:
        torch.set_num_threads(before)
