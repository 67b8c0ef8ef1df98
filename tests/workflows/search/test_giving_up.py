"""When a trial is given up: where those before it did better, and never at its last step."""

import pytest

from fercli.core.progress import SILENT, EpochRow
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.settings import resolve_study
from fercli.workflows.search.study import Study
from fercli.workflows.search.trial import Outcome, TrialTask, _PrunedError, _Watch


def end(last: int) -> Outcome:
    """A trial that went well, step by step."""
    return Outcome("complete", (0.1,), dict.fromkeys(range(1, last + 1), 0.1), last, 1.0, {"completed_rung_0": 0.1})


def report(watch: _Watch, step: int, loss: float) -> None:
    """An epoch with this loss."""
    watch.epoch(EpochRow(step, 0.1, loss, 0.5, loss, 0.5, 1.0), best=False)


@pytest.fixture
def second(tmp_path):
    """Makes the second trial of a study whose first one went well."""

    def draw(last: int, **options) -> tuple[Study, TrialTask]:
        study = Study(resolve_study(SearchOptions(**options)), tmp_path / "study")
        study.tell(study.draw(), end(last))
        return study, study.draw()

    (tmp_path / "study").mkdir()
    return draw


@pytest.mark.parametrize("folds", [3, 4, 5, 6])
def test_a_trial_that_is_worse_on_four_folds_is_given_up_if_one_is_left(second, folds):
    study, task = second(folds, folds=folds)
    watch, given_up = _Watch(study.config, task, folds, SILENT), None
    for fold in range(1, folds + 1):
        try:
            watch.end_fold(fold, 0.9)
        except _PrunedError:
            given_up = fold
            break
    assert given_up == (4 if folds > 4 else None)


def test_a_trial_is_not_given_up_after_its_last_epoch(second):
    study, task = second(2, recipe_settings={"epochs": 2})
    for epochs in (2, 1):  # a space may give it fewer epochs than the study's recipe has
        watch = _Watch(study.config, task, epochs, SILENT)
        if epochs == 1:
            report(watch, 1, 0.9)
        else:
            with pytest.raises(_PrunedError):
                report(watch, 1, 0.9)
