import numpy as np
import pytest
from PIL import Image

from fercli.core.labels import EXPRESSIONS
from fercli.core.palette import EXPRESSION_COLOURS, colours
from fercli.metrics.timeline import COLUMNS, PANELS, Course, average_columns, plot_timeline, timeline_figure


def course(name, times, seed=0):
    draw = np.random.default_rng(seed)
    return Course(name, np.asarray(times, float), draw.dirichlet(np.ones(7), len(times)))


LOOKS = np.arange(50) * 0.2


def test_the_most_present_come_first_and_the_rest_is_counted():
    people = [course(f"person {n}", LOOKS[:n], n) for n in range(1, PANELS + 4)]
    figure = timeline_figure(people, LOOKS, EXPRESSIONS, "clip.mp4")
    names = [axes.texts[0].get_text() for axes in figure.axes]
    assert names == [f"person {n}" for n in range(PANELS + 3, 3, -1)]
    assert figure.axes[0].get_title("left") == "clip.mp4"
    assert figure.axes[0].get_title("right") == "and 3 more"
    few = timeline_figure(people[:2], LOOKS, EXPRESSIONS)
    assert few.axes[0].get_title("right") == ""


def test_gaps_are_where_the_person_is_not_seen():
    seen = [0, 1, 2, 10, 11]
    probabilities = average_columns(course("a", LOOKS[seen]), np.append(LOOKS, 10.0))
    assert probabilities.shape == (50, 7)
    assert np.flatnonzero(~np.isnan(probabilities[:, 0])).tolist() == seen
    assert np.allclose(probabilities[seen].sum(axis=1), 1)


def test_a_panel_is_stacked_to_the_full_and_empty_in_a_gap():
    axes = timeline_figure([course("a", LOOKS[[0, 1, 10]])], LOOKS, EXPRESSIONS).axes[0]
    first, last = axes.collections[0], axes.collections[-1]
    assert [path.get_extents().x1 for path in first.get_paths()] == pytest.approx([0.4, 2.2])
    assert all(path.get_extents().y0 == pytest.approx(0) for path in first.get_paths())
    assert all(path.get_extents().y1 == pytest.approx(1) for path in last.get_paths())
    assert axes.texts[1].get_text().endswith("seen 0:01")


def test_long_videos_are_drawn_as_means():
    looks = np.arange(100_000) * 0.2
    person = Course("a", looks[50_000:], np.tile([[0.25, 0.75]], (50_000, 1)))
    figure = timeline_figure([person], looks, ("x", "y"))
    assert "10000" not in figure.axes[0].texts[1].get_text()
    assert figure.axes[0].texts[1].get_text() == "y, seen 2:46:40"
    edges = np.linspace(0, 20_000, COLUMNS + 1)
    probabilities = average_columns(person, edges)
    assert np.isnan(probabilities[: COLUMNS // 2 - 1]).all()
    assert np.allclose(probabilities[COLUMNS // 2 + 1 :], [0.25, 0.75])


@pytest.mark.parametrize("length", [0.2, 3.0, 12.0, 70.0, 600.0, 5000.0, 90_000.0])
def test_the_time_axis_has_a_few_round_marks_that_do_not_overlap(length):
    looks = np.linspace(0, length, 30)
    axes = timeline_figure([course("a", looks)], looks, EXPRESSIONS).axes[-1]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert 2 <= len(labels) <= 12
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) * len(labels) < 90


def test_an_expression_has_its_own_colour_whatever_stands_beside_it():
    assert colours(EXPRESSIONS) == [EXPRESSION_COLOURS[name] for name in EXPRESSIONS]
    assert colours(("joyless", "sad", "other"))[1] == EXPRESSION_COLOURS["sad"]
    many = colours(tuple(f"class {i}" for i in range(20)))
    assert len(many) == 20


@pytest.mark.parametrize("classes", [EXPRESSIONS, ("_yes $x$", "no")], ids=["seven", "odd"])
@pytest.mark.parametrize("looks", [LOOKS, LOOKS[:1]], ids=["many", "one"])
def test_it_becomes_a_picture_in_its_colours(tmp_path, classes, looks):
    probabilities = np.tile(np.eye(len(classes))[0] * 0.5 + 0.5 / len(classes), (len(looks), 1))
    plot_timeline([Course("person 1", looks, probabilities)], looks, classes, tmp_path / "a.timeline.png", "a $x$")
    with Image.open(tmp_path / "a.timeline.png") as picture:
        assert picture.width > picture.height > 100
        seen = {colour[:3] for _, colour in picture.convert("RGB").getcolors(1 << 20)}
        wanted = {tuple(bytes.fromhex(colour[1:])) for colour in colours(classes)}
        assert wanted <= seen
