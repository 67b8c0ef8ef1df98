import numpy as np
import pytest
from PIL import Image

from fercli.metrics.crossval_plots import plot_sensitivities, plot_trend, sensitivities_figure, trend_figure
from fercli.metrics.repeated_crossval import repeated_scores

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def scores(runs=10, classes=CLASSES):
    draw = np.random.default_rng(1)
    matrices = draw.integers(0, 4, (runs, len(classes), len(classes)))
    matrices[:, range(len(classes)), range(len(classes))] += 80
    return repeated_scores(matrices, classes)


def test_every_run_is_a_point_of_its_class():
    found = scores()
    axes = sensitivities_figure(found).axes[0]
    points = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
    assert len(points) == len(CLASSES) + 1
    assert np.allclose(points[3], 100 * found.sensitivity[:, 3])
    assert np.allclose(points[-1], 100 * found.accuracy)
    assert [label.get_text() for label in axes.get_xticklabels()] == [*CLASSES, "overall"]


def test_the_trend_has_a_line_a_class_and_one_for_all():
    found = scores(3)
    axes = trend_figure(found).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines) == [*CLASSES, "overall"]
    assert list(lines["overall"].get_xdata()) == [1, 2, 3]
    assert np.allclose(lines["sad"].get_ydata(), 100 * found.sensitivity[:, 4])


@pytest.mark.parametrize("runs", [1, 10])
@pytest.mark.parametrize("classes", [CLASSES, ("_yes $x$", "no")], ids=["seven", "odd"])
def test_they_become_pictures(tmp_path, runs, classes):
    for plot in (plot_sensitivities, plot_trend):
        plot(scores(runs, classes), tmp_path / "plot.png", "a title")
        with Image.open(tmp_path / "plot.png") as picture:
            assert min(picture.size) > 300


def test_a_class_without_faces_is_an_empty_place(tmp_path):
    matrices = np.array([[[3, 1], [0, 0]], [[4, 0], [0, 0]]])
    found = repeated_scores(matrices, ("a", "b"))
    assert np.isnan(found.sensitivity[:, 1]).all()
    whole = repeated_scores(matrices + np.eye(2, dtype=np.int64), ("a", "b"))
    for plot in (plot_sensitivities, plot_trend):
        plot(found, tmp_path / "gap.png")
        plot(whole, tmp_path / "whole.png")
        with Image.open(tmp_path / "gap.png") as gap, Image.open(tmp_path / "whole.png") as other:
            assert gap.convert("RGB").tobytes() != other.convert("RGB").tobytes(), "the gap is seen"
