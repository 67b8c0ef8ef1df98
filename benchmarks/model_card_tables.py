"""The tables of a model card, in Markdown, line by line."""

from collections.abc import Iterable, Iterator

from fercli.metrics.scores import ClassScores, Scores, wilson
from fercli.workflows.evaluate.evaluation import Evaluation
from fercli.workflows.evaluate.robustness import Robustness

#: Points of accuracy that a corruption of medium strength has to cost to be named a weak point.
_COSTLY = 0.1


def _table(*headings: str) -> Iterator[str]:
    yield _row(headings)
    yield f"|{'---|' * len(headings)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(fraction: float, decimals: int = 2) -> str:
    return f"{100 * fraction:.{decimals}f} %"


def _between(interval: tuple[float, float], decimals: int = 2) -> str:
    return f"{100 * interval[0]:.{decimals}f} to {100 * interval[1]:.{decimals}f}"


def _recall(row: ClassScores) -> str:
    """A class' recall with its 95 % interval."""
    interval = wilson(round(row.recall * row.support), row.support)
    return f"{_percent(row.recall, 1)} ({_between(interval, 1)})"


def overall(single: Evaluation, mirrored: Evaluation) -> Iterator[str]:
    """Accuracy and macro averages of both ways to look at a face."""
    yield from _table("views", "faces", "accuracy (95 %)", "macro recall", "macro F1")
    for name, found in (("single", single.scores), ("single + mirrored", mirrored.scores)):
        accuracy = f"{_percent(found.accuracy)} ({_between(found.accuracy_interval)})"
        yield _row(
            (name, f"{found.faces:,}", accuracy, _percent(found.balanced_accuracy), f"{found.macro.f1:.3f}")
        )  # fmt: skip


def classes(single: Evaluation, mirrored: Evaluation) -> Iterator[str]:
    """Recall with its interval, precision and F1 of each class, seen once and with the mirror image."""
    yield from _table(
        "class", "faces", "recall, single (95 %)", "precision", "F1", "recall, mirrored (95 %)", "precision", "F1"
    )
    for one, both in zip(single.scores.per_class, mirrored.scores.per_class, strict=True):
        figures = (f for row in (one, both) for f in (_recall(row), _percent(row.precision, 1), f"{row.f1:.3f}"))
        yield _row((one.name, f"{one.support:,}", *figures))


def calibration(single: Evaluation, mirrored: Evaluation, photographs: Evaluation) -> Iterator[str]:
    """What the temperature does to confidence, on the faces it was fitted to and on others."""
    yield from _table("faces", "views", "temperature", "calibration error", "before", "log loss", "before")
    for found in (single, mirrored, photographs):
        before = found.uncalibrated
        yield _row(
            (
                f"{found.data} {found.split}", "single + mirrored" if found.mirrored else "single",
                f"{found.temperature:.3f}", _percent(found.scores.calibration_error),
                _percent(before.calibration_error), f"{found.scores.log_loss:.3f}", f"{before.log_loss:.3f}",
            )
        )  # fmt: skip


def photographs(photos: Evaluation, public: Evaluation) -> Iterator[str]:
    """Recall and precision of each class on photographs, beside the recall on PublicTest."""
    found = photos.scores
    yield (
        f"Accuracy {_percent(found.accuracy)} (95 %: {_between(found.accuracy_interval)}) on {found.faces:,} faces, "
        f"macro recall {_percent(found.balanced_accuracy)}."
    )
    yield ""
    yield from _table("class", "faces", "recall (95 %)", "precision", "recall on PublicTest")
    for row, other in zip(found.per_class, public.scores.per_class, strict=True):
        cells = (_recall(row), _percent(row.precision, 1), _percent(other.recall, 1))
        yield _row((row.name, f"{row.support:,}", *cells))


def confusions(found: Evaluation) -> Iterator[str]:
    """The confusion matrix as fractions of each row."""
    scores = found.scores
    yield from _table("true \\ predicted", *scores.classes)
    for name, fractions in zip(scores.classes, scores.confusion_fractions, strict=True):
        yield _row((name, *(_percent(fraction, 0) for fraction in fractions)))


def corruptions(measured: Robustness) -> Iterator[str]:
    """Accuracy and what was lost of it, a row a corruption, the strengths beside each other."""
    strengths = dict.fromkeys(row.strength for row in measured.rows)
    yield f"Without any: {_percent(measured.clean.accuracy)}. With, and points against that (± half the 95 % interval):"
    yield ""
    yield from _table("corruption", *strengths, "calibration error, medium")
    for name in dict.fromkeys(row.corruption for row in measured.rows):
        rows = [row for row in measured.rows if row.corruption == name]
        cells = (
            f"{row.amount}: {_percent(row.accuracy, 1)} ({100 * row.difference.mean:+.1f} ± "
            f"{50 * (row.difference.high - row.difference.low):.1f})"
            for row in rows
        )
        yield _row((name, *cells, _percent(rows[len(rows) // 2].calibration_error, 1)))


def weak_points(public: Evaluation, photos: Evaluation, measured: Robustness | None) -> Iterator[str]:
    """The classes, confusions and, where they were measured, corruptions that cost most, in words."""
    for where, scores in (("PublicTest", public.scores), ("photographs", photos.scores)):
        worst = sorted(scores.per_class, key=lambda row: row.recall)[:3]
        missed = ", ".join(f"{row.name} ({_percent(row.recall, 0)})" for row in worst)
        yield f"- Classes with the lowest recall on {where}: {missed}."
        mistaken = ", ".join(
            f"{true} taken for {said} ({_percent(fraction, 0)})" for fraction, true, said in _mistakes(scores)[:4]
        )
        yield f"- Most frequent mistakes on {where}, as fractions of the true class: {mistaken}."
    if measured is None:
        return
    medium = [row for row in measured.rows if row.strength == "medium" and row.difference.mean < -_COSTLY]
    costly = ", ".join(
        f"{row.corruption} ({100 * row.difference.mean:+.0f})"
        for row in sorted(medium, key=lambda row: row.difference.mean)
    )
    yield f"- Corruptions that at medium strength cost more than {100 * _COSTLY:.0f} points: {costly or 'none'}."


def _mistakes(scores: Scores) -> list[tuple[float, str, str]]:
    """Fraction of the row, true class and what it was taken for, the most frequent first."""
    names, fractions = scores.classes, scores.confusion_fractions
    pairs = ((i, j) for i in range(len(names)) for j in range(len(names)) if i != j)
    return sorted(((fractions[i][j], names[i], names[j]) for i, j in pairs), reverse=True)
