import cv2
import numpy as np
import pytest

from fercli.core.errors import PictureError, UsageError
from fercli.faces.mtcnn import detector as detector_module
from fercli.faces.mtcnn.detector import Detector


def centre(detection):
    x1, y1, x2, y2 = detection.box
    return (x1 + x2) / 2, (y1 + y2) / 2


def test_the_face_in_the_portrait_is_found(detector, portrait):
    (face,) = detector.find(portrait)
    x1, y1, x2, y2 = face.box
    assert 0 < x1 < x2 < portrait.shape[1]
    assert 0 < y1 < y2 < portrait.shape[0]
    assert 0.95 < face.score <= 1
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert all(x1 < x < x2 and y1 < y < y2 for x, y in face.landmarks)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_faces_come_from_left_to_right_whatever_their_size(detector, portrait):
    canvas = np.full((600, 1300, 3), 90, np.uint8)
    for left, scale in ((0, 0.35), (300, 0.9), (900, 0.5)):
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas[: small.shape[0], left : left + small.shape[1]] = small
    faces = detector.find(canvas)
    assert len(faces) == 3
    assert [centre(face)[0] for face in faces] == sorted(centre(face)[0] for face in faces)
    heights = [face.box[3] - face.box[1] for face in faces]
    assert heights[0] < heights[2] < heights[1]


def test_boxes_of_a_large_picture_are_in_original_pixels(detector, portrait):
    (face,) = detector.find(portrait)
    # scaled by different factors, so that swapping width and height shows
    large = cv2.resize(portrait, (portrait.shape[1] * 5, portrait.shape[0] * 6))
    assert max(large.shape) > detector_module.MAX_SIDE
    (found,) = detector.find(large)
    wanted = np.array(face.box) * [5, 6, 5, 6]
    assert np.allclose(found.box, wanted, atol=0.12 * (wanted[3] - wanted[1]))


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (19, 19), (20, 20), (21, 3000)])
def test_pictures_too_small_for_a_face_have_none(detector, shape):
    assert detector.find(np.full((*shape, 3), 128, np.uint8)) == []


def test_noise_and_plain_pictures_have_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    assert detector.find(noise) == []
    assert detector.find(np.zeros((150, 150, 3), np.uint8)) == []


def test_a_search_leaves_no_state(detector, portrait):
    first = detector.find(portrait)
    detector.find(np.ascontiguousarray(portrait[:, ::-1]))
    assert detector.find(portrait) == first


@pytest.mark.parametrize("shape", [(30, 20_000), (20_000, 30), (2000, 12)])
def test_long_strips_are_searched(shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert Detector(max_side=0).find(noise) == []


def test_a_very_large_picture_is_shrunk_first_and_boxes_are_in_original_pixels(portrait, monkeypatch):
    detector = Detector(max_side=800)
    large = cv2.resize(portrait, (portrait.shape[1] * 5 + 1, portrait.shape[0] * 5 + 2))
    (wanted,) = detector.find(large)
    searched = []
    monkeypatch.setattr(detector_module, "_SHRINK_PIXELS", 4_000_000)
    whole = detector._search
    monkeypatch.setattr(
        detector, "_search", lambda pictures, least: searched.extend(pictures) or whole(pictures, least)
    )
    (found,) = detector.find(large)
    assert [picture.shape for picture in searched] == [(3002 // 2, 2561 // 2, 3)]
    height = wanted.box[3] - wanted.box[1]
    assert np.allclose(found.box, wanted.box, atol=0.12 * height)
    assert np.allclose(found.landmarks, wanted.landmarks, atol=0.12 * height)


def test_a_failed_search_does_not_affect_other_pictures(detector, portrait, monkeypatch):
    whole = detector._search

    def fail(pictures, least):
        if any(picture.shape == (64, 64, 3) for picture in pictures):
            raise RuntimeError("out of\nmemory")
        return whole(pictures, least)

    monkeypatch.setattr(detector, "_search", fail)
    bad = np.zeros((64, 64, 3), np.uint8)
    first, second, third = detector.find_all([portrait, bad, portrait])
    assert len(first) == len(third) == 1
    assert isinstance(second, PictureError)
    assert str(second) == "the search for faces failed: out of memory"
    with pytest.raises(PictureError, match="out of memory"):
        detector.find(bad)


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"min_face": 11}, "--min-face 11"),
        ({"min_face": float("nan")}, "--min-face nan"),
        ({"max_side": 99}, "--max-side 99"),
        ({"max_side": -1}, "--max-side -1"),
        ({"thresholds": (0.6, 0.7, 1.0)}, "--threshold 1"),
        ({"thresholds": (0.6, 0.7, 0.0)}, "--threshold 0"),
    ],
)
def test_invalid_settings_give_one_line(settings, flag):
    with pytest.raises(UsageError, match=f"^{flag}: [^\n]*$"):
        Detector(**settings)


def test_the_threshold_is_the_least_score(detector, portrait):
    (face,) = detector.find(portrait)
    (same,) = Detector(thresholds=(0.6, 0.7, face.score - 1e-4)).find(portrait)
    assert same == face
    assert Detector(thresholds=(0.6, 0.7, face.score + 1e-6)).find(portrait) == []
