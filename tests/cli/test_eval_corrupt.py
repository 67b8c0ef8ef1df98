"""fer eval --corrupt as it is typed, and its table on terminals of every width."""

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from fercli.cli.evaluate_tables import corruption_table
from fercli.core.errors import UsageError
from fercli.data.cartoon import cartoon
from fercli.models.load import load_model
from fercli.workflows.evaluate.evaluation import measure
from fercli.workflows.evaluate.robustness import measure_robustness


@pytest.fixture(scope="module")
def measured():
    model, faces = load_model(None), cartoon(2, 1)
    return measure_robustness(model, faces, measure(model, faces, "all").predictions, ("blur", "dark"))


def test_the_figures_are_those_of_the_faces_made_worse(measured):
    assert [(row.corruption, row.strength) for row in measured.rows] == [
        (name, strength) for name in ("blur", "dark") for strength in ("mild", "medium", "strong")
    ]
    for row in measured.rows:
        assert row.accuracy - measured.clean.accuracy == pytest.approx(row.difference.mean)
    assert [len(group) for group in measured.sheet[0].groups] == [4, 4, 4], "as it is, and three strengths"
    assert {tile.caption[0] for group in measured.sheet[1].groups for tile in group} == {
        "as it is", "mild", "medium", "strong",
    }  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 90, 200])
def test_the_table_fits_and_keeps_every_figure(measured, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(corruption_table(measured, width))
    lines = console.file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(lines)
    rows = [line.split() for line in lines if any(word in line for word in ("mild", "medium", "strong"))]
    for row, words in zip(measured.rows, rows, strict=True):
        assert f"{100 * row.accuracy:.2f}" in words
        assert f"{100 * row.difference.mean:+.1f}" in words
        assert words[-2:] == [f"{100 * row.macro_recall:.2f}", f"{100 * row.calibration_error:.2f}"]
    assert ("sd 1 px" in "".join(lines)) == (width >= 90)


def test_it_is_typed_with_names_or_alone(fer, tmp_path, monkeypatch):
    asked = []

    def heard(options, _):
        asked.append(options.corruptions)
        raise UsageError("enough")

    monkeypatch.setattr("fercli.workflows.evaluate.run.evaluate", heard)
    fer("eval", "--corrupt", "blur,far", "--data", "cartoon")
    fer("eval", "--corrupt", "--tta")
    fer("eval")
    assert asked[0] == ("far", "blur")
    assert len(asked[1]) > 9
    assert asked[2] == ()


def test_figures_and_pictures_are_kept(fer, tmp_path):
    code, out, err = fer("eval", "--data", "cartoon", "--corrupt", "eyes", "--json", "--out", "measured")
    assert code == 0, err
    rows = json.loads(out)["corruptions"]
    assert [row["strength"] for row in rows] == ["mild", "medium", "strong"]
    assert {path.name for path in (tmp_path / "measured").iterdir()} == {
        "corruptions.csv", "corruptions.png", "corruptions-faces.png", "confusion.png", "reliability.png",
        "predictions.csv", "metrics.json",
    }  # fmt: skip
    assert json.loads((tmp_path / "measured/metrics.json").read_text())["corruptions"] == rows
    assert "corruptions.csv" in err
    code, _, err = fer("eval", "--data", "cartoon", "--out", "measured", "--force", "--quiet")
    assert code == 0, err
    assert not list((tmp_path / "measured").glob("corruptions*")), "they are not of this evaluation"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--corrupt", "blurr"), "no corruption 'blurr': did you mean blur?"),
        (("--corrupt", "zzz"), "no corruption 'zzz': there is blur, close"),
        (("runs/x",), "runs/x: a network is named with --model"),
        (("--corrupt", "blur", "far"), "unexpected extra argument"),
    ],
)
def test_a_mistake_is_one_line(fer, words, message):
    code, out, err = fer("eval", "--data", "cartoon", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
