import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.console import Console

from fercli.cli.evaluate_tables import ConfusionTable, class_table, summary
from fercli.core.labels import EXPRESSIONS
from fercli.metrics.calibration import softmax
from fercli.metrics.scores import score

LONG = tuple(f"{how} {what}" for how in ("happily", "sadly", "angrily") for what in ("awed", "嫌", "[b]struck", "x"))


def scores(classes=EXPRESSIONS, temperature=1.0):
    draw = np.random.default_rng(7)
    labels = draw.integers(0, len(classes) - 1, 3000)
    logits = draw.normal(size=(3000, len(classes)))
    logits[np.arange(3000), labels] += 3
    return score(softmax(logits, temperature), labels, classes)


def lines(renderable, width, **settings):
    console = Console(file=io.StringIO(), width=width, **settings)
    console.print(renderable)
    return console.file.getvalue().splitlines()


def numbers(line):
    return [int(text) for text in re.findall(r"(?<![\w.])\d+(?![\w.]| %)", line)]


def test_each_class_has_its_row():
    found = scores()
    rows = lines(class_table(found), 60)
    happy = found.per_class[3]
    assert rows[4].split() == [
        "happy", f"{happy.precision:.3f}", f"{happy.recall:.3f}", f"{happy.f1:.3f}", f"{happy.support}",
    ]  # fmt: skip
    assert rows[-3].split()[:3] == ["macro", "average", f"{found.macro.precision:.3f}"]
    assert rows[-2].split()[-2:] == [f"{found.weighted.f1:.3f}", "3,000"]


def test_a_macro_average_says_which_classes_it_has_no_faces_of():
    found = scores()  # nobody is neutral
    assert lines(class_table(found), 60)[-1].strip() == "macro average: 1 class without faces counts as 0"
    assert "mean recall of classes with faces" in "\n".join(lines(summary(found), 80))
    full = replace(found, per_class=tuple(replace(row, support=row.support + 1) for row in found.per_class))
    assert "without faces" not in "\n".join(lines(class_table(full), 60))


def test_the_summary_sets_before_beside_after():
    after, before = scores(temperature=0.9), scores(temperature=0.3)
    text = "\n".join(lines(summary(after, before), 60))
    low, high = after.accuracy_interval
    assert f"{100 * after.accuracy:.2f} %  95 %: {100 * low:.2f} to {100 * high:.2f} %" in text
    assert re.search(rf"log loss +{after.log_loss:.4f}  {before.log_loss:.4f} before temperature", text)
    error = f"{100 * after.calibration_error:.2f} %  {100 * before.calibration_error:.2f} % before temperature"
    assert error in text
    assert f"element-wise accuracy    {100 * after.elementwise_accuracy:.2f} %" in text
    assert "before" not in "\n".join(lines(summary(after), 60))


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("classes", [("yes", "no"), EXPRESSIONS, LONG], ids=["two", "seven", "twelve"])
def test_the_confusion_matrix_is_whole_at_any_width(classes, width):
    found = scores(classes)
    shown = lines(ConfusionTable(found), width)
    assert max(map(cell_len, shown)) <= width
    counts = sorted(count for row in found.confusion for count in row)
    headings = [numbers(line) for line in shown if line.startswith("   ") and "%" not in line]
    body = [line for line in shown if not line.startswith("   ")]
    # names of rows may be numbered; what stands behind them are the counts
    seen = sorted(n for line in body[1:] for n in numbers(re.sub(r"^\d+ ", "", line)))
    assert seen == counts
    assert all(heading in ([], list(range(min(heading), max(heading) + 1))) for heading in headings if heading)


def test_fractions_stand_beside_below_or_go():
    found = scores()
    fraction = f"{100 * found.confusion_fractions[3][3]:.0f} %"
    count = f"{found.confusion[3][3]}"
    beside, below, gone = (lines(ConfusionTable(found), width) for width in (140, 60, 44))
    assert re.search(rf"^happy .*{count} +{fraction}", "\n".join(beside), re.MULTILINE)
    row = next(i for i, line in enumerate(below) if line.startswith("happy"))
    assert count in below[row]
    assert fraction in below[row + 1]
    assert "%" not in "".join(gone)


def test_headings_that_cutting_makes_alike_become_numbers():
    shown = lines(ConfusionTable(scores(LONG)), 80)
    assert shown[1].split() == [f"{i}" for i in range(1, 13)]
    assert shown[3].startswith("2 happily 嫌")


def test_colour_marks_the_strong_cells_and_plain_output_has_none():
    table = ConfusionTable(scores())
    coloured = "\n".join(lines(table, 80, force_terminal=True, color_system="truecolor"))
    assert coloured.count("48;2;") >= 6
    plain = "\n".join(lines(table, 80, force_terminal=True, color_system="truecolor", no_color=True))
    assert "48;" not in plain
    assert "\x1b" not in "\n".join(lines(table, 80))


def test_sixteen_colours_never_put_white_on_a_light_ground():
    # row i has a fraction of 10·i % right and the rest in one wrong class: every strength there is
    every = tuple(tuple(10 * i * (i == j) + (100 - 10 * i) * (j == (i + 1) % 11) for j in range(11)) for i in range(11))
    table = ConfusionTable(replace(scores(), classes=tuple("abcdefghijk"), confusion=every))
    coded = "\n".join(lines(table, 80, force_terminal=True, color_system="truecolor"))
    grounds = {tuple(map(int, found)) for found in re.findall(r"48;2;(\d+);(\d+);(\d+)m", coded)}
    assert len(grounds) == 7
    red, blue, grey, bright_red, bright_blue = 1, 4, 8, 9, 12
    for ground in grounds:
        number = Color.from_rgb(*ground).downgrade(ColorSystem.STANDARD).number
        assert number in {red, blue, grey, bright_red, bright_blue}
