"""The drawn faces: the same every time, and no harder or easier than they are meant to be."""

from itertools import pairwise

import numpy as np

from fercli.core.labels import EXPRESSIONS
from fercli.data.cartoon import cartoon


def test_seven_hundred_faces_of_twenty_subjects():
    faces = cartoon()
    assert len(faces) == 700
    assert faces.classes == EXPRESSIONS
    assert np.bincount(faces.labels).tolist() == [100] * 7
    assert sorted(set(faces.subjects)) == [f"s{number:02}" for number in range(1, 21)]
    assert faces.subjects.count("s07") == 35
    assert faces.parts is None
    for face, label, subject in zip(faces.ids, faces.labels, faces.subjects, strict=True):
        assert face.rsplit("_", 1)[0] == f"{subject}_{EXPRESSIONS[label]}"


def test_the_same_seed_the_same_faces_another_seed_others():
    assert cartoon(2, 1).fingerprint == cartoon(2, 1).fingerprint
    assert cartoon(2, 1).fingerprint != cartoon(2, 1, seed=1).fingerprint


def test_a_larger_set_holds_the_smaller_one():
    small, large = cartoon(2, 2), cartoon(3, 3)
    for face, image in zip(small.ids, small.images, strict=True):
        assert np.array_equal(image, large.images[large.ids.index(face)])


def test_no_two_pictures_are_alike_and_none_is_flat():
    faces = cartoon(4)
    assert len({image.tobytes() for image in faces.images}) == len(faces)
    assert faces.images.std(axis=(1, 2, 3)).min() > 10


def test_the_expressions_differ_where_real_ones_do():
    """On average over people and poses: a surprised mouth is dark, a happy one bright, beside a closed one."""
    faces = cartoon()
    mouth = faces.images[:, 0, 34:40, 21:27].mean(axis=(1, 2)) / faces.images[:, 0, 26:30, 12:36].mean(axis=(1, 2))
    shade = {name: mouth[faces.labels == label].mean() for label, name in enumerate(EXPRESSIONS)}
    assert shade["surprise"] < shade["fear"] < shade["neutral"]
    assert shade["happy"] > shade["fear"]


def test_the_nearest_neighbour_in_pixels_does_not_know_new_subjects():
    """Measured by ten folds of two subjects each: about half right, with chance at 14 %."""
    faces = cartoon()
    pixels = faces.images.reshape(len(faces), -1).astype(np.float32)
    right = 0
    numbers = np.array([int(subject[1:]) for subject in faces.subjects])
    for low, high in pairwise(range(1, 22, 2)):
        held_out = (numbers >= low) & (numbers < high)
        known, new = pixels[~held_out], pixels[held_out]
        distances = (known**2).sum(axis=1) - 2 * new @ known.T
        right += (faces.labels[~held_out][distances.argmin(axis=1)] == faces.labels[held_out]).sum()
    assert right / len(faces) < 0.6
