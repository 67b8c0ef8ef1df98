import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.mtcnn.packing import Position, pack_rectangles

SIDE = 40
sizes = st.lists(st.tuples(st.integers(1, SIDE), st.integers(1, SIDE)), max_size=40)


@settings(deadline=None)
@given(sizes)
def test_rectangles_are_inside_their_canvas_and_do_not_overlap(sizes):
    positions = pack_rectangles(sizes, SIDE)
    assert len(positions) == len(sizes)
    canvases = np.zeros((len(sizes) + 1, SIDE, SIDE), int)
    for (height, width), position in zip(sizes, positions, strict=True):
        assert 0 <= position.top <= SIDE - height
        assert 0 <= position.left <= SIDE - width
        canvases[position.canvas, position.top : position.top + height, position.left : position.left + width] += 1
    assert canvases.max() <= 1
    used = {position.canvas for position in positions}
    assert used == set(range(len(used)))


def test_small_rectangles_share_a_canvas():
    assert {position.canvas for position in pack_rectangles([(10, 10)] * 16, SIDE)} == {0}
    assert pack_rectangles([(5, 5), (SIDE, SIDE)], SIDE) == [Position(1, 0, 0), Position(0, 0, 0)]
