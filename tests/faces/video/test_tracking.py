import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linear_sum_assignment

from fercli.faces.video.read import read_video
from fercli.faces.video.tracking import FaceTracker, ShotDetector, choose_pairs


def box(x, y=100.0, side=50.0):
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def track(frames, apart=0.2):
    """The numbers in each frame of boxes; frames are `apart` seconds apart."""
    tracker = FaceTracker()
    return [tracker.update(boxes, apart * index) for index, boxes in enumerate(frames)]


def test_numbers_start_at_one_in_order_of_appearance():
    assert track([[box(0), box(200)], [box(0), box(200), box(400)], [box(205), box(405), box(600)]]) == [
        [1, 2],
        [1, 2, 3],
        [2, 3, 4],
    ]


def test_faces_that_change_order_keep_their_numbers():
    assert track([[box(0), box(200)], [box(200), box(0)]]) == [[1, 2], [2, 1]]


@pytest.mark.parametrize("apart", [1 / 30, 0.2, 0.5])
@pytest.mark.parametrize("hidden", [0, 30, 60])
def test_two_people_who_cross_keep_their_numbers(apart, hidden):
    """Two faces of 50 pixels pass each other at 80 pixels a second. The one behind is hidden while they are closer than
    `hidden` pixels. Detections are off by a pixel or two. Numbers are not checked where the faces coincide."""
    noise = np.random.default_rng(0)
    tracker, rows = FaceTracker(), []
    for time in np.arange(0, 5, apart):
        front, behind = 80 * time, 400 - 80 * time
        shown = [front, behind] if abs(front - behind) >= hidden else [front]
        faces = sorted((x + noise.normal(0, 1.5), x is front) for x in shown)
        numbers = tracker.update([box(x, 100 + noise.normal(0, 1.5)) for x, _ in faces], time)
        if abs(front - behind) > 10:
            rows += [(number, in_front) for number, (_, in_front) in zip(numbers, faces, strict=True)]
    assert set(rows) == {(1, True), (2, False)}


def test_a_face_keeps_its_number_only_if_it_is_missed_briefly():
    def number_after(seconds, apart):
        tracker = FaceTracker()
        for step in range(5):
            tracker.update([box(0)], apart * step)
        last = apart * 4
        for time in np.arange(last + apart, last + seconds, apart):
            tracker.update([], time)
        return tracker.update([box(0)], last + seconds)[0]

    assert number_after(1.0, 0.1) == 1
    assert number_after(5.0, 0.1) == 2
    assert number_after(6.0, 2.0) == 1  # two frames missed
    assert number_after(20.0, 2.0) == 2


def test_frames_far_apart_need_no_overlap():
    assert track([[box(0)], [box(55)], [box(110)]], apart=1.0) == [[1], [1], [1]]


def test_a_face_elsewhere_or_of_another_size_is_someone_else():
    assert track([[box(0)], [box(300)]]) == [[1], [2]]
    assert track([[box(0)], [box(0, side=120)]]) == [[1], [2]]


def test_after_a_reset_everyone_is_new_and_numbers_go_on():
    tracker = FaceTracker()
    assert tracker.update([box(0), box(200)], 0.0) == [1, 2]
    tracker.reset()
    assert tracker.update([box(0), box(200)], 0.2) == [3, 4]


def test_pairs_are_chosen_together():
    """Matching the nearest pair first would give a track the wrong face and leave the other track without one."""
    frames = [[box(0), box(60)], [box(0), box(60)], [box(26), box(86)]]
    assert track(frames)[-1] == [1, 2]


@settings(deadline=None)
@given(arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(0, 20) | st.just(np.inf)))
@example(np.full((3, 2), np.inf))
def test_the_pairs_are_as_many_and_as_cheap_as_scipy_s(costs):
    pairs = choose_pairs(costs)
    rows, columns = linear_sum_assignment(np.where(np.isinf(costs), 1e6, costs))
    best = [cost for cost in costs[rows, columns] if np.isfinite(cost)]
    assert len(pairs) == len(best)
    assert sum(costs[pair] for pair in pairs) == pytest.approx(sum(best))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)


def test_a_zoom_is_not_a_new_face():
    sides = 40 * 1.15 ** np.arange(12)
    assert track([[box(0, side=s), box(4 * s, side=s)] for s in sides]) == [[1, 2]] * 12


boxes = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(5, 200)).map(lambda p: box(*p))


@settings(deadline=None)
@given(st.lists(st.lists(boxes, max_size=5), max_size=12), st.floats(0.01, 3))
def test_numbers_are_unique_and_consecutive(frames, apart):
    rows = track(frames, apart)
    known: set[int] = set()
    for boxes, numbers in zip(frames, rows, strict=True):
        assert len(numbers) == len(boxes)
        assert len(set(numbers)) == len(numbers)
        new = sorted(set(numbers) - known)
        assert new == list(range(len(known) + 1, len(known) + len(new) + 1))
        known.update(numbers)


@settings(deadline=None)
@given(st.lists(st.lists(boxes, max_size=4), max_size=8), st.sampled_from([0.5, 2.0, 8.0]))
def test_the_size_of_the_picture_does_not_matter(frames, factor):
    larger = [[tuple(factor * v for v in b) for b in boxes] for boxes in frames]
    assert track(larger) == track(frames)


def cuts(frames):
    detector = ShotDetector()
    return [detector.is_cut(frame) for frame in frames]


@pytest.fixture
def scene(portrait):
    return portrait[:400, :500]


def test_a_moving_camera_and_moving_people_are_not_cuts(portrait, crossing):
    pan = [portrait[y : y + 300, y // 2 : y // 2 + 400] for y in range(0, 300, 20)]
    assert not any(cuts(pan))
    assert not any(cuts(frame.pixels for frame in read_video(crossing, 0.4)))


@pytest.mark.parametrize("light", [0.5, 0.8, 1.3, 2.0])
def test_a_change_of_light_is_not_a_cut(scene, light):
    changed = np.clip(scene * light, 0, 255).astype(np.uint8)
    assert cuts([scene, changed, scene]) == [False] * 3


def test_each_change_of_picture_is_one_cut(scene):
    other = np.roll(scene[::-1, ::-1], 100, axis=1) // 2
    assert cuts([scene, scene, other, other, scene]) == [False, False, True, False, True]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (2000, 40)])
def test_any_size_and_plain_pictures(shape):
    plain = np.full((*shape, 3), 200, np.uint8)
    assert cuts([plain, plain]) == [False, False]
    assert cuts([plain, np.zeros((64, 48, 3), np.uint8)]) == [False, True]
