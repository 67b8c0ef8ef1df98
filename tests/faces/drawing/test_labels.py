import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.drawing import labels
from fercli.faces.drawing.labels import annotate

side = st.integers(1, 400)
position = st.floats(-100, 500)
boxes = st.tuples(position, position, st.floats(0, 200), st.floats(0, 200)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(deadline=None, max_examples=60)
@given(side, side, st.lists(boxes, max_size=5))
def test_the_copy_has_the_same_shape_and_the_original_is_unchanged(height, width, found):
    picture = np.full((height, width, 3), 77, np.uint8)
    drawn = annotate(picture, [(box, "1 surprise 40 %") for box in found])
    assert drawn.shape == picture.shape
    assert np.all(picture == 77)
    assert bool(found) or np.array_equal(drawn, picture)


@settings(deadline=None, max_examples=40)
@given(side, side, st.lists(st.tuples(boxes, st.text("1 aM%", max_size=20)), max_size=5))
def test_a_legend_only_adds_space_below_and_if_needed_to_the_right(height, width, captions):
    picture = np.full((height, width, 3), 77, np.uint8)
    plain, drawn = annotate(picture, captions), annotate(picture, captions, legend=True)
    assert drawn.shape[0] >= height
    assert drawn.shape[1] >= width
    assert np.array_equal(drawn[:height, :width], plain)
    assert drawn.shape[0] > height or drawn.shape == plain.shape


def test_captions_that_would_hide_faces_are_shortened_and_listed_in_full_below():
    crowd = [(x, y, x + 18.0, y + 22.0) for y in range(10, 150, 45) for x in range(5, 190, 30)]
    captions = [(box, f"{number} neutral 40 %") for number, box in enumerate(crowd, start=1)]
    picture = np.full((160, 200, 3), 128, np.uint8)
    drawn = annotate(picture, captions, legend=True)
    assert drawn.shape[0] > 160
    assert drawn.shape[1] == 200
    below = drawn[160:]
    assert (below == 255).mean() > 0.5
    # 28 captions in two columns: text in both halves, down to the last row
    for half in (below[:, :100], below[:, 100:]):
        assert np.argwhere(half.max(axis=2) < 60)[:, 0].max() > len(below) - 20
    assert annotate(picture, captions).shape == picture.shape


def test_a_picture_narrower_than_its_caption_is_widened_for_it():
    picture = np.full((48, 48, 3), 128, np.uint8)
    drawn = annotate(picture, [((2.0, 2.0, 46.0, 46.0), "1 surprise 40 %")], legend=True)
    assert drawn.shape[1] > 60
    letters = np.argwhere(drawn[48:].max(axis=2) < 60)
    assert letters[:, 1].max() < drawn.shape[1] - 1
    assert letters[:, 1].max() > 55


@pytest.mark.parametrize(("text", "short"), [("12 neutral 47 %", "12 neu"), ("3 happy", "3 hap"), ("7", "7"), ("", "")])
def test_shortened_captions(text, short):
    full, middle, number = (shorten(text) for shorten in labels._SHORTENERS)
    assert (full, middle) == (text, short)
    assert number == short.split(" ")[0]


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_text_contrasts_with_its_background_on_any_picture(shade):
    picture = np.full((300, 300, 3), shade, np.uint8)
    drawn = annotate(picture, [((100, 100, 200, 220), "1 happy 97 %")])
    bright, dark = (np.all(drawn == colour, axis=2).sum() for colour in (labels._BRIGHT, labels._DARK))
    assert bright > 500
    assert dark > 200


def test_the_font_grows_with_the_picture():
    sizes = [labels._choose_font_size([(0, 0, s / 4, s / 4)], (s, s)) for s in (200, 1000, 8000)]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 10
    assert sizes[2] >= 80


def test_text_is_inside_its_label():
    drawn = annotate(np.full((300, 300, 3), 128, np.uint8), [((100.0, 150.0, 200.0, 250.0), "1 angry 40 %")])[:146]
    yellow = np.argwhere((drawn == (255, 214, 10)).all(axis=2))
    letters = np.argwhere((drawn < 60).all(axis=2))
    (top, left), (bottom, right) = yellow.min(axis=0), yellow.max(axis=0)
    frame = 2  # the label's own outline
    assert len(letters) > 50
    assert (letters >= (top - frame, left - frame)).all()
    assert (letters <= (bottom + frame, right + frame)).all()
    inside = letters[(letters > (top, left)).all(axis=1) & (letters < (bottom, right)).all(axis=1)]
    assert np.ptp(inside[:, 0]) > (bottom - top) / 2
