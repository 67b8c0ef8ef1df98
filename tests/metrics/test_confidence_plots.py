import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fercli.metrics.calibration import reliability
from fercli.metrics.confidence_plots import coverage_figure, plot_coverage, plot_reliability, reliability_figure
from fercli.metrics.scores import coverage

SURE = np.array([0.95, 0.95, 0.85, 0.85, 0.6, 0.55])
PROBABILITIES = np.stack([SURE, 1 - SURE], axis=1)
LABELS = np.array([0, 0, 0, 1, 1, 0])


def test_points_of_a_reliability_diagram_are_its_bins():
    bins = reliability(PROBABILITIES, LABELS, bins=10)
    accuracy, faces = reliability_figure(bins).axes
    diagonal, points = accuracy.lines[:2]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert list(points.get_xdata()) == pytest.approx([0.575, 0.85, 0.95])
    assert list(points.get_ydata()) == [0.5, 0.5, 1.0]
    (steps,) = faces.patches
    assert steps.get_data().values.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 2, 2]
    labels = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert labels[1] == f"confidence: ECE {100 * bins.error:.1f} %"


def test_before_and_after_the_temperature_stand_side_by_side():
    after, before = reliability(PROBABILITIES, LABELS), reliability(np.eye(2)[LABELS], LABELS)
    accuracy, faces = reliability_figure(after, before).axes
    labels = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert labels[1:] == ["before temperature: ECE 0.0 %", f"after temperature: ECE {100 * after.error:.1f} %"]
    assert len(faces.patches) == 2


def test_the_legend_lies_on_nothing():
    bins = reliability(PROBABILITIES, LABELS)
    figure = reliability_figure(bins, bins, "title")
    FigureCanvasAgg(figure).draw()
    accuracy = figure.axes[0]
    legend, title = accuracy.get_legend().get_window_extent(), accuracy._left_title.get_window_extent()
    assert accuracy.get_window_extent().y1 <= legend.y0
    assert legend.y1 <= title.y0
    assert title.y1 <= figure.bbox.y1


def test_the_coverage_curve_runs_to_all_faces():
    (axes,) = coverage_figure(coverage(PROBABILITIES, LABELS)).axes
    curve = axes.lines[0]
    assert list(curve.get_xdata()) == pytest.approx([2 / 6, 4 / 6, 5 / 6, 1])
    assert list(curve.get_ydata()) == pytest.approx([1, 3 / 4, 3 / 5, 4 / 6])


@pytest.mark.parametrize("faces", [1, 6])
def test_both_become_pictures(tmp_path, faces):
    bins = reliability(PROBABILITIES[:faces], LABELS[:faces])
    plot_reliability(bins, tmp_path / "reliability.png", bins, "$a$ title")
    plot_coverage(coverage(PROBABILITIES[:faces], LABELS[:faces]), tmp_path / "coverage.png", "$a$ title")
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 300
    assert len(list(tmp_path.iterdir())) == 2
