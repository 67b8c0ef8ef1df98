"""Files that a cross-validation leaves beside its folds: tables, predictions, pictures."""

import csv
from pathlib import Path

from fercli.core.files import write_json, write_text, written_whole
from fercli.data.faceset import FaceSet
from fercli.metrics.crossval_plots import plot_sensitivities, plot_trend
from fercli.metrics.plots import plot_confusion
from fercli.workflows.crossval import tables
from fercli.workflows.crossval.folder import ENDINGS, CrossvalFolder
from fercli.workflows.crossval.papers import REMARK, comparable
from fercli.workflows.crossval.results import CrossvalResult, Series

#: What must be known to read the table of differences.
STATISTICS = (
    "95 % over folds and p: corrected resampled t (Nadeau & Bengio 2003), since folds share training faces. "
    "McNemar p: exact, within a run; the median over the runs."
)


def write_artefacts(folder: CrossvalFolder, result: CrossvalResult, faces: FaceSet) -> None:
    """Write every series' tables, predictions and pictures, then what compares them; crossval.json last."""
    for series in result.series:
        _write_series(folder.path / series.folder, series, result, faces)
    _write_table(folder.path / "accuracy", tables.accuracy_table(result.series))
    if result.comparisons:
        _write_table(folder.path / "differences", tables.comparison_table(result.comparisons))
    if result.gaps:
        _write_table(folder.path / "gap", tables.gap_table(result.gaps))
    if comparable(result.classes):
        _write_table(folder.path / "papers", tables.papers_table(result))
    write_text(folder.report, _report(result))
    write_json(folder.results, result.to_dict())


def title_of(series: Series, result: CrossvalResult) -> str:
    """'xu-rescnn on cartoon, by image: 10 runs of 10 folds'."""
    runs = f"{result.config.runs} run{'s'[: result.config.runs > 1]}"
    return f"{series.method} on {result.data}, by {series.grouping}: {runs} of {result.config.folds} folds"


def _write_series(place: Path, series: Series, result: CrossvalResult, faces: FaceSet) -> None:
    title = title_of(series, result)
    _write_table(place / "runs", tables.runs_table(series.scores, title))
    _write_table(place / "confusion", tables.confusion_table(series.scores, title))
    _write_predictions(place / "predictions.csv", series, faces)
    plot_confusion(series.scores.total.tolist(), series.scores.classes, place / "confusion.png", title)
    plot_sensitivities(series.scores, place / "sensitivities.png", title)
    if result.config.runs > 1:
        plot_trend(series.scores, place / "trend.png", title)


def _write_table(place: Path, table: tables.TextTable) -> None:
    """The same table as .csv, .md and .tex."""
    for ending, text in zip(ENDINGS, (table.csv(), table.markdown(), table.latex()), strict=True):
        write_text(place.with_name(place.name + ending), text)


def _write_predictions(path: Path, series: Series, faces: FaceSet) -> None:
    """All out-of-fold probabilities, a row a run and face, with all their digits."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", "fold", "id", "label", "predicted", *faces.classes])
        for run, (folds, rows) in enumerate(zip(series.folds, series.probabilities, strict=True), start=1):
            for face, (name, label, row) in enumerate(zip(faces.ids, faces.labels, rows, strict=True)):
                found = faces.classes[row.argmax()]
                writer.writerow([run, folds[face] + 1, name, faces.classes[label], found, *row.tolist()])


def _report(result: CrossvalResult) -> str:
    """results.md: every table in one file."""
    blocks = [f"# Cross-validation on {result.data}\n", *(f"{note}\n" for note in result.notes)]
    for series in result.series:
        title = title_of(series, result)
        blocks += [f"## {title}\n", tables.runs_table(series.scores, title).markdown()]
        blocks += ["Sensitivity of each class and overall accuracy (OA) in percent. Summed confusion matrix:\n"]
        blocks += [tables.confusion_table(series.scores, title).markdown(), *(f"{note}\n" for note in series.notes)]
    blocks += ["## Overall accuracy\n", tables.accuracy_table(result.series).markdown()]
    if result.comparisons:
        blocks += ["## Differences on the same folds\n", tables.comparison_table(result.comparisons).markdown()]
    blocks += [f"{STATISTICS}\n"]
    if result.gaps:
        blocks += ["## Leakage: by image less by subject\n", tables.gap_table(result.gaps).markdown()]
    if comparable(result.classes):
        blocks += ["## Beside the papers\n", tables.papers_table(result).markdown(), f"{REMARK}\n"]
    return "\n".join(blocks)
