"""What hides a part of a drawn face."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercli.data.cartoon.drawing import Pen, Pose
from fercli.data.cartoon.faces import _random_person
from fercli.data.cartoon.head import Expression, draw_head
from fercli.data.cartoon.occlusion import draw_occlusion


@given(seed=st.integers(0, 1000))
def test_an_occlusion_hides_a_part_of_the_face_and_no_more(seed):
    draws = np.random.default_rng(seed)
    person = _random_person(draws)
    pen = Pen(128, Pose(tilt=0, turn=0, nod=0, scale=1.1, shift=(0, 0)), person.width)
    draw_head(pen, person, Expression())
    before = pen.pixels(48)
    draw_occlusion(pen, person, draws)
    changed = np.abs(pen.pixels(48) - before)[:, 8:40] > 5
    assert 0.01 < changed.mean() < 0.3
