import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.palette import EXPRESSION_COLOURS, ink_on
from fercli.faces.drawing import labels
from fercli.faces.drawing.labels import Caption, annotate

YELLOW = EXPRESSION_COLOURS["happy"]
side = st.integers(1, 400)
position = st.floats(-100, 500)
boxes = st.tuples(position, position, st.floats(0, 200), st.floats(0, 200)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(deadline=None, max_examples=60)
@given(side, side, st.lists(boxes, max_size=5))
def test_the_copy_has_the_same_shape_and_the_original_is_unchanged(height, width, found):
    picture = np.full((height, width, 3), 77, np.uint8)
    drawn = annotate(picture, [Caption(box, "1 surprise 40 %", YELLOW) for box in found])
    assert drawn.shape == picture.shape
    assert np.all(picture == 77)
    assert bool(found) or np.array_equal(drawn, picture)


@settings(deadline=None, max_examples=40)
@given(side, side, st.lists(st.builds(Caption, boxes, st.text("1 aM%", max_size=20), st.just(YELLOW)), max_size=5))
def test_a_legend_only_adds_space_below_and_if_needed_to_the_right(height, width, captions):
    picture = np.full((height, width, 3), 77, np.uint8)
    plain, drawn = annotate(picture, captions), annotate(picture, captions, legend=True)
    assert drawn.shape[0] >= height
    assert drawn.shape[1] >= width
    assert np.array_equal(drawn[:height, :width], plain)
    assert drawn.shape[0] > height or drawn.shape == plain.shape


def test_captions_that_would_hide_faces_are_shortened_and_listed_in_full_below():
    crowd = [(x, y, x + 18.0, y + 22.0) for y in range(10, 150, 45) for x in range(5, 190, 30)]
    captions = [Caption(box, f"{number} neutral 40 %", YELLOW) for number, box in enumerate(crowd, start=1)]
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
    drawn = annotate(picture, [Caption((2.0, 2.0, 46.0, 46.0), "1 surprise 40 %", YELLOW)], legend=True)
    assert drawn.shape[1] > 60
    letters = np.argwhere(drawn[48:].max(axis=2) < 60)
    assert letters[:, 1].max() < drawn.shape[1] - 1
    assert letters[:, 1].max() > 55


@pytest.mark.parametrize(("text", "short"), [("12 neutral 47 %", "12 neu"), ("3 happy", "3 hap"), ("7", "7"), ("", "")])
def test_shortened_captions(text, short):
    full, middle, number = (shorten(text) for shorten in labels._SHORTENERS)
    assert (full, middle) == (text, short)
    assert number == short.split(" ")[0]


def count(pixels, colour):
    return np.all(pixels == list(bytes.fromhex(colour[1:])), axis=2).sum()


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("colour", [EXPRESSION_COLOURS["happy"], EXPRESSION_COLOURS["fear"]])
def test_text_and_outline_contrast_with_their_colour_on_any_picture(shade, colour):
    picture = np.full((300, 300, 3), shade, np.uint8)
    drawn = annotate(picture, [Caption((100, 100, 200, 220), "1 happy 97 %", colour)])
    assert count(drawn, colour) > 500
    assert abs(count(drawn, ink_on(colour)) - count(picture, ink_on(colour))) > 200


def test_each_face_has_its_own_colour():
    sad = EXPRESSION_COLOURS["sad"]
    captions = [Caption((20, 100, 90, 180), "1 happy 97 %", YELLOW), Caption((200, 100, 270, 180), "2 sad 80 %", sad)]
    drawn = annotate(np.full((300, 300, 3), 128, np.uint8), captions)
    left, right = drawn[:, :145], drawn[:, 155:]
    assert count(left, YELLOW) > 500
    assert count(right, sad) > 500
    assert count(left, sad) == count(right, YELLOW) == 0


def test_the_font_grows_with_the_picture():
    sizes = [labels._choose_font_size([(0, 0, s / 4, s / 4)], (s, s)) for s in (200, 1000, 8000)]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 10
    assert sizes[2] >= 80


def test_text_is_inside_its_label():
    drawn = annotate(
        np.full((300, 300, 3), 128, np.uint8), [Caption((100.0, 150.0, 200.0, 250.0), "1 angry 40 %", YELLOW)]
    )[:146]
    yellow = np.argwhere((drawn == list(bytes.fromhex(YELLOW[1:]))).all(axis=2))
    letters = np.argwhere((drawn < 60).all(axis=2))
    (top, left), (bottom, right) = yellow.min(axis=0), yellow.max(axis=0)
    frame = 2  # the label's own outline
    assert len(letters) > 50
    assert (letters >= (top - frame, left - frame)).all()
    assert (letters <= (bottom + frame, right + frame)).all()
    inside = letters[(letters > (top, left)).all(axis=1) & (letters < (bottom, right)).all(axis=1)]
    assert np.ptp(inside[:, 0]) > (bottom - top) / 2
