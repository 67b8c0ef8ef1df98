"""A cross-validation's figures as tables and pictures: csv, Markdown, LaTeX. Percent, halves rounded up."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fercli.core.files import write_json, write_text, written_whole
from fercli.core.labels import EXPRESSIONS
from fercli.core.text import format_count
from fercli.data.faceset import FaceSet
from fercli.metrics.crossval_plots import plot_sensitivities, plot_trend
from fercli.metrics.plots import plot_confusion
from fercli.metrics.repeated_crossval import RepeatedScores, half_up, percent
from fercli.workflows.crossval.aggregate import Comparison, CrossvalResult, Gap, Series
from fercli.workflows.crossval.crossval_folder import ENDINGS, CrossvalFolder

_LATEX = str.maketrans(
    {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "±": r"$\pm$", "–": "--", "×": r"$\times$"}
)


#: What must be known to read the table of differences.
STATISTICS = (
    "95 % over folds and p: corrected resampled t (Nadeau & Bengio 2003), since folds share training faces. "
    "McNemar p: exact, within a run; the median over the runs."
)
PAPERS = (
    ("HWT", 78.37, 1.50),
    ("HOS", 83.43, 2.15),
    ("PCA + SVM", 89.14, 2.91),
    ("CSO", 89.49, 0.76),
    ("BBO", 93.79, 1.24),
    ("ResNet-50 (Li & Lima)", 95.39, 1.41),
    ("ResNet-101, transfer (Li)", 96.29, 0.78),
)
REMARK = (
    "the papers measured on 700 posed photographs of 20 people that are not public: the data differ, so these figures "
    "say nothing about which method is better"
)


@dataclass(frozen=True)
class TextTable:
    """A heading, a row of column names, and rows of cells; `ruled` rows at the end stand below a line in LaTeX."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ruled: int = 0

    def csv(self) -> str:
        """Comma-separated, the column names first."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([self.columns, *self.rows])
        return text.getvalue()

    def markdown(self) -> str:
        """A pipe table, figures to the right."""
        align = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = [self.columns, align, *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines) + "\n"

    def latex(self) -> str:
        """A booktabs tabular."""
        body = [_latex_row(row) for row in self.rows]
        if self.ruled:
            body.insert(len(body) - self.ruled, r"\midrule")
        return "\n".join(
            [
                rf"% {self.title}; needs \usepackage{{booktabs}}",
                rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
                r"\toprule", _latex_row(self.columns), r"\midrule", *body, r"\bottomrule", r"\end{tabular}", "",
            ]
        )  # fmt: skip


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cell.translate(_LATEX) for cell in cells) + r" \\"


def runs_table(scores: RepeatedScores, title: str) -> TextTable:
    """The papers' tables in one: a row a run with each class' sensitivity and the overall accuracy, then mean ± SD."""
    rows = [
        (f"{run}", *(percent(value) for value in sensitivity), percent(accuracy))
        for run, (sensitivity, accuracy) in enumerate(zip(scores.sensitivity, scores.accuracy, strict=True), start=1)
    ]
    spreads = (*scores.class_spreads, scores.accuracy_spread)
    last = ("mean ± SD" if len(rows) > 1 else "mean", *(over.percent() for over in spreads))
    return TextTable(title, ("run", *scores.classes, "OA"), (*rows, last), ruled=1)


def confusion_table(scores: RepeatedScores, title: str) -> TextTable:
    """The matrix summed over folds and runs, rows true."""
    rows = [(name, *map(str, row)) for name, row in zip(scores.classes, scores.total.tolist(), strict=True)]
    return TextTable(title, ("true \\ predicted", *scores.classes), tuple(rows))


def accuracy_table(series: Sequence[Series]) -> TextTable:
    """Every method under every grouping: overall accuracy over the runs and its 95 % interval over the folds."""
    rows = [
        (
            one.method,
            one.grouping,
            one.scores.accuracy_spread.percent(),
            interval_text(one.interval.low, one.interval.high),
        )
        for one in series
    ]
    return TextTable("overall accuracy", ("method", "groups by", "OA", "95 % over folds"), tuple(rows))


def interval_text(low: float, high: float) -> str:
    """'91.20 to 95.00' of fractions of 0 to 1; '–' where there is none."""
    return "–" if math.isnan(low) else f"{percent(low)} to {percent(high)}"


def comparison_table(comparisons: Sequence[Comparison]) -> TextTable:
    """Differences of methods on the same folds, in points."""
    rows = [
        (
            f"{one.first} − {one.second}",
            one.grouping,
            percent(one.difference.mean),
            interval_text(one.difference.low, one.difference.high),
            p_text(one.difference.p),
            p_text(sorted(test.p for test in one.mcnemar)[len(one.mcnemar) // 2]),
        )
        for one in comparisons
    ]
    columns = ("difference", "groups by", "points", "95 %", "p", "McNemar p")
    return TextTable("differences on the same folds", columns, tuple(rows))


def p_text(p: float) -> str:
    """A probability to three decimals, '< 0.001' below."""
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else half_up(p, 3)


def gap_table(gaps: Sequence[Gap]) -> TextTable:
    """By image beside by subject, and what the first has over the second."""
    rows = [(gap.method, gap.image.percent(), gap.subject.percent(), gap.difference.percent()) for gap in gaps]
    return TextTable("leakage", ("method", "by image", "by subject", "gap, points"), tuple(rows))


def papers_table(result: CrossvalResult) -> TextTable:
    """The papers' methods, then those measured here."""
    stated = [(name, f"{half_up(mean)} ± {half_up(sd)}", "Li & Lima / Li 2021") for name, mean, sd in PAPERS]
    ours = [
        (one.method, one.scores.accuracy_spread.percent(), f"here: {result.data}, by {one.grouping}")
        for one in result.series
    ]
    return TextTable("beside the papers", ("method", "OA", "from"), (*stated, *ours), ruled=len(ours))


def write_artefacts(folder: CrossvalFolder, result: CrossvalResult, faces: FaceSet) -> None:
    """Write every series' tables, predictions and pictures, then what compares them; crossval.json last."""
    for series in result.series:
        _write_series(folder.path / series.folder, series, result, faces)
    _write_table(folder.path / "accuracy", accuracy_table(result.series))
    if result.comparisons:
        _write_table(folder.path / "differences", comparison_table(result.comparisons))
    if result.gaps:
        _write_table(folder.path / "gap", gap_table(result.gaps))
    if comparable(result.classes):
        _write_table(folder.path / "papers", papers_table(result))
    write_text(folder.report, _report(result))
    write_json(folder.results, result.to_dict())


def title_of(series: Series, result: CrossvalResult) -> str:
    """'xu-rescnn on cartoon, by image: 10 runs of 10 folds'."""
    runs = format_count(result.config.runs, "run")
    return f"{series.method} on {result.data}, by {series.grouping}: {runs} of {result.config.folds} folds"


def _write_series(folder: Path, series: Series, result: CrossvalResult, faces: FaceSet) -> None:
    title = title_of(series, result)
    _write_table(folder / "runs", runs_table(series.scores, title))
    _write_table(folder / "confusion", confusion_table(series.scores, title))
    _write_predictions(folder / "predictions.csv", series, faces)
    plot_confusion(series.scores.total.tolist(), series.scores.classes, folder / "confusion.png", title)
    plot_sensitivities(series.scores, folder / "sensitivities.png", title)
    if result.config.runs > 1:
        plot_trend(series.scores, folder / "trend.png", title)


def _write_table(stem: Path, table: TextTable) -> None:
    """The same table as .csv, .md and .tex."""
    for ending, text in zip(ENDINGS, (table.csv(), table.markdown(), table.latex()), strict=True):
        write_text(stem.with_name(stem.name + ending), text)


def _write_predictions(path: Path, series: Series, faces: FaceSet) -> None:
    """All out-of-fold probabilities, a row a run and face, with all their digits."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", "fold", "id", "label", "predicted", *faces.classes])
        for run, (folds, rows) in enumerate(zip(series.folds, series.probabilities, strict=True), start=1):
            for face, (name, label, row) in enumerate(zip(faces.ids, faces.labels, rows, strict=True)):
                predicted = faces.classes[row.argmax()]
                writer.writerow([run, folds[face] + 1, name, faces.classes[label], predicted, *row.tolist()])


def _report(result: CrossvalResult) -> str:
    """results.md: every table in one file."""
    blocks = [f"# Cross-validation on {result.data}\n", *(f"{note}\n" for note in result.notes)]
    for series in result.series:
        title = title_of(series, result)
        blocks += [f"## {title}\n", runs_table(series.scores, title).markdown()]
        blocks += ["Sensitivity of each class and overall accuracy (OA) in percent. Summed confusion matrix:\n"]
        blocks += [confusion_table(series.scores, title).markdown(), *(f"{note}\n" for note in series.notes)]
    blocks += ["## Overall accuracy\n", accuracy_table(result.series).markdown()]
    if result.comparisons:
        blocks += ["## Differences on the same folds\n", comparison_table(result.comparisons).markdown()]
    blocks += [f"{STATISTICS}\n"]
    if result.gaps:
        blocks += ["## Leakage: by image less by subject\n", gap_table(result.gaps).markdown()]
    if comparable(result.classes):
        blocks += ["## Beside the papers\n", papers_table(result).markdown(), f"{REMARK}\n"]
    return "\n".join(blocks)


def comparable(classes: tuple[str, ...]) -> bool:
    """Whether a set has the papers' seven expressions, in whatever order."""
    return set(classes) == set(EXPRESSIONS)
