import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.drawing.placement import place_labels

SIZE = (200, 100)

# boxes inside the picture or cut off at its edges
corner = st.tuples(st.floats(0, 190), st.floats(0, 90))
boxes = st.tuples(corner, st.floats(0, 200), st.floats(0, 200)).map(
    lambda b: (b[0][0], b[0][1], min(199.0, b[0][0] + b[1]), min(99.0, b[0][1] + b[2]))
)
extents = st.tuples(st.floats(1, 150), st.floats(1, 40))


def overlap(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(boxes, extents), max_size=6))
def test_labels_stay_inside_the_picture(faces):
    placed = place_labels([box for box, _ in faces], [extent for _, extent in faces], SIZE)
    assert len(placed) == len(faces)
    for (_, (width, height)), label in zip(faces, placed, strict=True):
        x1, y1, x2, y2 = label.box
        assert (x1, y1) >= (0, 0)
        assert x2 <= SIZE[0]
        assert y2 <= SIZE[1]
        assert (x2 - x1, y2 - y1) == pytest.approx((width, height))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(boxes, extents), max_size=6))
def test_a_free_label_hides_at_most_a_little_of_its_own_box(faces):
    found = [box for box, _ in faces]
    placed = place_labels(found, [extent for _, extent in faces], SIZE)
    for number, (box, label) in enumerate(zip(found, placed, strict=True)):
        if label.is_free:
            area = (box[2] - box[0]) * (box[3] - box[1])
            others = [*found[:number], *found[number + 1 :], *(other.box for other in placed[:number])]
            assert overlap(label.box, box) <= area / 16 + 1
            assert all(overlap(label.box, other) <= area / 256 + 1 for other in others)


def test_a_face_that_fills_the_picture_has_its_label_at_its_edge():
    box = (10.0, 5.0, 190.0, 95.0)
    (label,) = place_labels([box], [(60, 12)], SIZE)
    assert label.is_free
    assert label.leader is None
    assert 0 < overlap(label.box, box) < 60 * 12


# faces in a grid, with room for a label between them
grid = st.tuples(st.integers(1, 6), st.integers(1, 5), st.floats(10, 90), st.floats(10, 90))


@settings(deadline=None, max_examples=40)
@given(grid, st.data())
def test_with_room_no_label_overlaps_any_face_or_label(shape, data):
    columns, rows, width, height = shape
    faces = [
        (x, y, x + width, y + height)
        for x in (60 + 200.0 * i for i in range(columns))
        for y in (60 + 150.0 * i for i in range(rows))
    ]
    labels = [data.draw(st.tuples(st.floats(10, 100), st.floats(10, 25))) for _ in faces]
    size = (200 * columns + 60, 150 * rows + 60)
    placed = place_labels(faces, labels, size, allow_overlap=False)
    assert len(placed) == len(faces)
    for number, label in enumerate(placed):
        others = [*faces, *(other.box for other in placed[:number])]
        assert all(overlap(label.box, other) < 1 for other in others)
        assert label.leader is None


def test_a_label_goes_above_its_box_if_there_is_room():
    (label,) = place_labels([(100.3, 100.7, 150.0, 160.0)], [(60.1, 20.3)], (400, 300))
    assert label.box[3] == pytest.approx(100.7)
    assert label.leader is None


def test_a_label_without_room_next_to_its_box_has_a_line_to_it():
    # surrounded, except for a gap above through which a line fits
    face = (100.0, 100.0, 140.0, 140.0)
    others = [(50, 80, 95, 160), (145, 80, 190, 160), (95, 145, 145, 190), (60, 40, 112, 95), (128, 40, 180, 95)]
    label = place_labels([face, *others], [(50, 12)] * 6, (240, 240))[0]
    assert label.is_free
    assert all(overlap(label.box, other) == 0 for other in [face, *others])
    assert label.leader is not None
    x, y, far_x, far_y = label.leader
    assert y == 100
    assert 112 < x < 128
    assert 112 < far_x < 128
    assert far_y == label.box[3] <= 40


def test_without_overlap_allowed_placement_stops_where_there_is_no_room():
    whole = (0.0, 0.0, 199.0, 99.0)
    assert place_labels([whole], [(150, 40)], SIZE, allow_overlap=False) == []
    (label,) = place_labels([whole], [(150, 40)], SIZE)
    assert not label.is_free
