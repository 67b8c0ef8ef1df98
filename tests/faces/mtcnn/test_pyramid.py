from itertools import pairwise

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import PNet
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.mtcnn.pyramid import CELL_SIDE, STRIDE, Level, Position, build_levels, pack_rectangles, split_level

SIDE = 40
sizes = st.lists(st.tuples(st.integers(1, SIDE), st.integers(1, SIDE)), max_size=40)


@settings(deadline=None)
@given(st.integers(12, 300), st.integers(12, 300), st.integers(1, 60))
def test_every_cell_of_a_level_is_in_one_tile_that_has_all_its_pixels(height, width, most):
    level = Level(1.0, height, width)
    covered = np.zeros(level.grid, int)
    for tile in split_level(level, most):
        assert tile.rows <= most
        assert tile.columns <= most
        covered[tile.top : tile.top + tile.rows, tile.left : tile.left + tile.columns] += 1
        for covered_pixels, first, count, side in zip(
            tile.pixel_ranges, (tile.top, tile.left), (tile.rows, tile.columns), (height, width), strict=True
        ):
            last = first + count - 1
            assert covered_pixels == range(STRIDE * first, min(STRIDE * last + CELL_SIDE, side))
    assert (covered == 1).all()


@pytest.mark.parametrize("side", range(12, 18))
def test_a_level_has_as_many_cells_as_the_output_of_pnet(side):
    with torch.inference_mode():
        _, answer = PNet()(torch.zeros(1, 3, side, 31))
    assert Level(1.0, side, 31).grid == tuple(answer.shape[2:])


def test_levels_start_at_the_smallest_face_and_end_at_a_single_cell():
    sizes = list(build_levels(480, 640, 20))
    assert (sizes[0].height, sizes[0].width) == (289, 385)
    assert 12 <= sizes[-1].height < 18
    assert all(one.scale * 0.709 == other.scale for one, other in pairwise(sizes))
    assert not list(build_levels(19, 4000, 20))


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
