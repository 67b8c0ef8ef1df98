"""Faces made worse: of the same form, repeatable, worse with strength, and each in the way its name says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import UsageError
from fercli.data.cartoon import cartoon
from fercli.data.quality.corruptions import CORRUPTIONS, STRENGTHS, corrupt, parse_corruptions

FACES = cartoon(5, 1).images


def level(shade: int, count: int = 2) -> np.ndarray:
    """Faces of one gray."""
    return np.full((count, 1, 48, 48), shade, np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_gets_worse_with_its_strength(name):
    before = FACES.copy()
    once, again = ({strength: corrupt(FACES, name, strength) for strength in STRENGTHS} for _ in range(2))
    harm = [np.abs(once[strength].astype(float) - FACES).mean() for strength in STRENGTHS]
    assert 1 < harm[0] < harm[1] < harm[2]
    assert all(np.array_equal(once[strength], again[strength]) for strength in STRENGTHS)
    assert np.array_equal(FACES, before), "the faces themselves stay as they are"
    assert once["mild"].dtype == np.uint8
    assert CORRUPTIONS[name].amount("strong") != CORRUPTIONS[name].amount("mild")


@given(
    name=st.sampled_from(list(CORRUPTIONS)), strength=st.sampled_from(STRENGTHS), count=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_the_faces_the_form_stays(name, strength, count, seed):
    faces = np.random.default_rng(seed).choice([0, 255], (count, 1, 48, 48)).astype(np.uint8)
    out = corrupt(faces, name, strength, seed)
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)


@pytest.mark.parametrize(
    "name", ["far", "close", "shift", "rotation", "blur", "lowres", "jpeg", "contrast", "eyes", "mouth", "side"]
)
def test_one_gray_stays_that_gray(name):
    assert (corrupt(level(128), name, "strong") == 128).all(), "no black comes in from beyond the edges"


@pytest.mark.parametrize("name", ["shift", "rotation", "noise", "side"])
def test_each_face_draws_for_itself_and_other_seeds_draw_otherwise(name):
    same = np.repeat(FACES[:1], 12, axis=0)
    assert len({face.tobytes() for face in corrupt(same, name, "medium")}) > 1
    assert not np.array_equal(corrupt(same, name, "medium"), corrupt(same, name, "medium", seed=1))


def test_the_frame_gets_wider_and_tighter_around_the_middle():
    square = level(0, 1)
    square[:, :, 16:32, 16:32] = 200
    widths = {
        (name, strength): np.count_nonzero(corrupt(square, name, strength)[0, 0, 24] > 100)
        for name in ("far", "close")
        for strength in STRENGTHS
    }
    assert list(widths.values()) == [14, 12, 10, 18, 20, 22]
    for name in ("far", "close"):
        out = corrupt(square, name, "strong")
        assert np.array_equal(out, out[:, :, ::-1, ::-1])


def test_a_shift_moves_by_its_fraction_of_the_side_every_way():
    dots = level(0, 200)
    dots[:, :, 24, 24] = 255
    moved = np.argwhere(corrupt(dots, "shift", "strong")[:, 0])[:, 1:] - 24
    assert len(moved) == 200
    assert np.hypot(*moved.T) == pytest.approx(7.2, abs=0.75)
    assert (moved.min(axis=0) < -5).all()
    assert (moved.max(axis=0) > 5).all()


def test_a_turn_is_by_its_angle_one_way_or_the_other():
    line = level(0, 40)
    line[:, :, :, 36:39] = 255
    found = set()
    for face in corrupt(line, "rotation", "strong")[:, 0]:
        rows = np.arange(16, 32)
        columns = [np.average(np.arange(48), weights=face[row].astype(float) + 1e-9) for row in rows]
        found.add(round(np.degrees(np.arctan(np.polyfit(rows, columns, 1)[0]))))
    assert found == {-30, 30}


def test_bars_lie_where_their_names_say():
    black = level(0, 30)
    rows = {name: np.flatnonzero(corrupt(black, name, "mild")[0, 0, :, 0]) for name in ("eyes", "mouth")}
    assert (rows["eyes"].min(), rows["eyes"].max(), len(rows["eyes"])) == (14, 21, 8)
    assert (rows["mouth"].min(), rows["mouth"].max()) == (35, 41)
    sides = corrupt(black, "side", "strong")[:, 0, 0]
    assert set(map(bytes, sides)) == {bytes([128] * 24 + [0] * 24), bytes([0] * 24 + [128] * 24)}


def test_light_contrast_and_pixels_are_lost_by_their_amounts():
    faces = FACES[:4]
    assert np.abs(corrupt(faces, "dark", "mild") - faces / 2).max() <= 0.5
    flat = corrupt(faces, "contrast", "mild").astype(float)
    assert flat.std(axis=(2, 3)) == pytest.approx(faces.std(axis=(2, 3)) / 2, rel=0.02)
    assert flat.mean(axis=(2, 3)) == pytest.approx(faces.mean(axis=(2, 3)), abs=0.5)
    cells = np.random.default_rng(0).integers(0, 256, (1, 1, 12, 12), dtype=np.uint8).repeat(4, 2).repeat(4, 3)
    out = corrupt(cells, "lowres", "strong")
    middles = (slice(None), slice(None), slice(1, None, 4), slice(1, None, 4))
    assert np.corrcoef(out[middles].ravel(), cells[middles].ravel())[0, 1] > 0.95, "each cell keeps its place"


def test_names_are_chosen_in_the_table_s_order():
    assert parse_corruptions(None) == tuple(CORRUPTIONS)
    assert parse_corruptions("rotation, far,rotation") == ("far", "rotation")
    with pytest.raises(UsageError, match=r"no corruption 'blurr': did you mean blur\?"):
        parse_corruptions("far,blurr")
    with pytest.raises(UsageError, match=r"no corruption '': there is blur, close, .*side"):
        parse_corruptions("far,")
