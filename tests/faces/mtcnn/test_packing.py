import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.mtcnn.packing import Place, packed

SIDE = 40
sizes = st.lists(st.tuples(st.integers(1, SIDE), st.integers(1, SIDE)), max_size=40)


@settings(deadline=None)
@given(sizes)
def test_every_rectangle_lies_on_its_canvas_and_none_over_another(sizes):
    places = packed(sizes, SIDE)
    assert len(places) == len(sizes)
    canvases = np.zeros((len(sizes) + 1, SIDE, SIDE), int)
    for (height, width), place in zip(sizes, places, strict=True):
        assert 0 <= place.top <= SIDE - height
        assert 0 <= place.left <= SIDE - width
        canvases[place.canvas, place.top : place.top + height, place.left : place.left + width] += 1
    assert canvases.max() <= 1
    used = {place.canvas for place in places}
    assert used == set(range(len(used)))


def test_small_ones_share_a_canvas():
    assert {place.canvas for place in packed([(10, 10)] * 16, SIDE)} == {0}
    assert packed([(5, 5), (SIDE, SIDE)], SIDE) == [Place(1, 0, 0), Place(0, 0, 0)]
