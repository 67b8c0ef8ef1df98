"""A cross-validation's figures as tables of text, in csv, Markdown and LaTeX. Percent, halves rounded up."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from fercli.metrics.repeated import RepeatedScores, half_up, percent
from fercli.workflows.crossval.papers import PAPERS
from fercli.workflows.crossval.results import Comparison, CrossvalResult, Gap, Series

_LATEX = str.maketrans(
    {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "±": r"$\pm$", "–": "--", "×": r"$\times$"}
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
    """'91.20 to 95.00' of shares of 0 to 1; '–' where there is none."""
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
    """A probability to three places, '< 0.001' below."""
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
