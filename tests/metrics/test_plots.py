import math

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import RunError
from fercli.core.labels import EXPRESSIONS
from fercli.metrics.plots import confusion_figure, curves_figure, plot_confusion, plot_curves

COUNTS = ((3, 1, 0), (0, 0, 0), (0, 12, 4))
CLASSES = ("angry", "fear", "sad")


def history(epochs):
    return [
        {
            "epoch": epoch, "lr": 1e-3, "seconds": 9.0,
            "train_loss": 2 / epoch, "val_loss": 2.2 / epoch,
            "train_accuracy": 1 - 0.7 / epoch, "val_accuracy": 0.6 - 0.01 * (epoch - 3) ** 2,
        }
        for epoch in range(1, epochs + 1)
    ]  # fmt: skip


def texts_by_cell(figure):
    cells = {}
    for text in figure.axes[0].texts:
        x, y = text.get_position()
        cells.setdefault((math.floor(y + 0.5), math.floor(x + 0.5)), []).append(text.get_text())
    return cells


def test_cells_say_fraction_and_count_with_true_in_rows():
    cells = texts_by_cell(confusion_figure(COUNTS, CLASSES))
    assert cells[0, 0] == ["75 %", "3"]
    assert cells[0, 1] == ["25 %", "1"]
    assert cells[2, 1] == ["75 %", "12"]
    assert cells[1, 2] == ["–"]
    assert len(cells) == 9


def test_colour_is_the_fraction_of_the_row():
    colours = confusion_figure(COUNTS, CLASSES).axes[0].images[0]
    assert np.array_equal(colours.get_array(), [[0.75, 0.25, 0], [0, 0, 0], [0, 0.75, 0.25]])
    assert colours.get_clim() == (0, 1)


def test_names_are_drawn_as_they_are():
    axes = confusion_figure(np.eye(2, dtype=int), ("a $b$", "c_d"), "$50 %").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a $b$", "c_d"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a $b$  (1)", "c_d  (1)"]
    assert not any(label.get_parse_math() for label in (*axes.get_xticklabels(), axes.title))


@pytest.mark.parametrize(
    "classes",
    [("yes", "no"), EXPRESSIONS, tuple(f"a rather long class name {i}" for i in range(12)), ("高兴", "$")],
    ids=["two", "seven", "long", "odd"],
)
def test_a_confusion_matrix_becomes_a_picture(tmp_path, classes):
    plot_confusion(10 * np.eye(len(classes), dtype=int), classes, tmp_path / "confusion.png", "a title")
    assert [path.name for path in tmp_path.iterdir()] == ["confusion.png"]
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        # the diagonal is drawn in the darkest blue
        assert (8, 48, 107) in {colour[:3] for _, colour in picture.getcolors(1 << 20)}


def test_curves_hold_every_epoch_and_ring_the_best():
    loss, accuracy = curves_figure(history(6)).axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        training, validation, _, ring = axes.lines
        assert list(training.get_xdata()) == list(validation.get_xdata()) == [1, 2, 3, 4, 5, 6]
        assert list(training.get_ydata()) == [row[f"train_{name}"] for row in history(6)]
        assert list(validation.get_ydata()) == [row[f"val_{name}"] for row in history(6)]
        assert (*ring.get_xdata(), *ring.get_ydata()) == (3, history(6)[2][f"val_{name}"])
    assert accuracy.get_title("right") == "60.00 % at epoch 3"
    assert loss.get_title("right") == "0.733 at epoch 3"


def test_the_kept_epoch_is_ringed_where_it_is_another():
    assert curves_figure(history(6), kept=6).axes[1].get_title("right") == "51.00 % at epoch 6"


@pytest.mark.parametrize("rows", [history(1), history(40)], ids=["one epoch", "many"])
def test_curves_become_a_picture(tmp_path, rows):
    plot_curves(rows, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > picture.height > 300


def test_one_epoch_shows_as_a_point():
    assert all(line.get_marker() == "o" for line in curves_figure(history(1)).axes[0].lines[:2])


def test_a_loss_that_went_astray_can_be_drawn(tmp_path):
    rows = history(3)
    rows[2]["val_loss"] = rows[2]["train_loss"] = math.nan
    plot_curves(rows, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()


def test_a_picture_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        plot_curves(history(2), tmp_path / "file" / "curves.png")
