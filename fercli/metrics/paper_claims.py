"""A paper's own figures beside those measured here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fercli.core.catalogue import Claim
from fercli.core.labels import canonical
from fercli.metrics.scores import Scores


@dataclass(frozen=True)
class Pair:
    """One figure, 0 to 1: as the paper states it and as measured here. `paper` is None where it states none."""

    of: str
    measure: str
    paper: float | None
    here: float

    @property
    def difference(self) -> float | None:
        """Here less paper."""
        return None if self.paper is None else self.here - self.paper

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self) | {"difference": self.difference}


def fitting_claim(claims: Sequence[Claim], data: str) -> Claim | None:
    """The claim on this face set, else the first one; None where the paper makes none."""
    return next((claim for claim in claims if claim.data == data), claims[0] if claims else None)


def compare(claim: Claim, scores: Scores, uncalibrated: Scores) -> tuple[Pair, ...]:
    """Every figure of a claim beside the measured one, classes first, then all classes together.

    `uncalibrated` are the scores of the same predictions without a temperature: no paper has one, and it changes what
    passes 0.5, so element-wise accuracy is taken from there. Classes are matched by name, synonyms included; a class
    that the measured data do not have is left out. A claim of element-wise accuracy comes with the accuracy that the
    paper does not state.
    """
    measured = {canonical(row.name): row for row in scores.per_class if row.support}
    pairs = [
        Pair(measured[name].name, measure, getattr(stated, measure) / 100, getattr(measured[name], measure))
        for name, stated in ((canonical(name), stated) for name, stated in claim.per_class.items())
        for measure in ("precision", "recall", "f1")
        if name in measured and getattr(stated, measure) is not None
    ]
    stated = claim.accuracy / 100
    if claim.measure == "accuracy":
        return (*pairs, Pair("all", "accuracy", stated, scores.accuracy))
    elementwise = Pair("all", "element-wise accuracy", stated, uncalibrated.elementwise_accuracy)
    return (*pairs, Pair("all", "accuracy", None, scores.accuracy), elementwise)
