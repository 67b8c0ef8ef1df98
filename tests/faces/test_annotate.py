import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces import annotate
from fercli.faces.annotate import annotated

side = st.integers(1, 400)
position = st.floats(-100, 500)
boxes = st.tuples(position, position, st.floats(0, 200), st.floats(0, 200)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(deadline=None, max_examples=60)
@given(side, side, st.lists(boxes, max_size=5))
def test_a_copy_of_the_same_shape_and_the_original_untouched(height, width, found):
    picture = np.full((height, width, 3), 77, np.uint8)
    drawn = annotated(picture, [(box, "1 surprise 40 %") for box in found])
    assert drawn.shape == picture.shape
    assert np.all(picture == 77)
    assert bool(found) or np.array_equal(drawn, picture)


@settings(deadline=None, max_examples=60)
@given(boxes, st.floats(1, 150), st.floats(1, 40))
def test_labels_stay_inside_the_picture(box, width, height):
    label = annotate._best_place(box, (width, height), (200, 100), [box], [])
    assert label[0] >= 0
    assert label[1] >= 0
    assert label[2] <= 200
    assert label[3] <= 100


def test_a_label_keeps_off_faces_and_other_labels_where_there_is_room():
    faces = [(100.0, 100.0, 150.0, 160.0), (100.0, 30.0, 150.0, 95.0), (152.0, 100.0, 200.0, 160.0)]
    placed = []
    for face in faces:
        label = annotate._best_place(face, (80, 20), (400, 300), faces, placed)
        assert all(annotate._overlap(label, other) == 0 for other in [*faces, *placed])
        placed.append(label)


def test_a_label_goes_above_where_nothing_is_in_the_way():
    box = (100.3, 100.7, 150.0, 160.0)
    assert annotate._best_place(box, (60.1, 20.3), (400, 300), [box], [])[3] == pytest.approx(100.7)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_contrast_with_their_ground_on_any_picture(shade):
    picture = np.full((300, 300, 3), shade, np.uint8)
    drawn = annotated(picture, [((100, 100, 200, 220), "1 happy 97 %")])
    bright, dark = (np.all(drawn == colour, axis=2).sum() for colour in (annotate._BRIGHT, annotate._DARK))
    assert bright > 500
    assert dark > 200


def test_letters_grow_with_the_picture():
    sizes = [annotate._letter_size([(0, 0, s / 4, s / 4)], (s, s)) for s in (200, 1000, 8000)]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 10
    assert sizes[2] >= 80


def test_letters_lie_inside_their_label():
    drawn = annotated(np.full((300, 300, 3), 128, np.uint8), [((100.0, 150.0, 200.0, 250.0), "1 angry 40 %")])[:146]
    yellow = np.argwhere((drawn == (255, 214, 10)).all(axis=2))
    letters = np.argwhere((drawn < 60).all(axis=2))
    (top, left), (bottom, right) = yellow.min(axis=0), yellow.max(axis=0)
    frame = 2  # the label's own outline
    assert len(letters) > 50
    assert (letters >= (top - frame, left - frame)).all()
    assert (letters <= (bottom + frame, right + frame)).all()
    inside = letters[(letters > (top, left)).all(axis=1) & (letters < (bottom, right)).all(axis=1)]
    assert np.ptp(inside[:, 0]) > (bottom - top) / 2
