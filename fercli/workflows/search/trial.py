"""One trial of a study: a training, or one a fold, given up early where others did better."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, cast

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from fercli.core.errors import FerError, reason_of
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.progress import EpochRow, Progress
from fercli.data.faceset import FaceSet
from fercli.metrics.scores import Scores
from fercli.models.catalogue import Cost
from fercli.runner.tasks import TaskFailedError
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.search.options import Objective
from fercli.workflows.search.sampling import make_pruner, quiet_optuna
from fercli.workflows.search.settings import StudyConfig
from fercli.workflows.train.settings import change_config
from fercli.workflows.train.trainer import SetUpError, Trainer

Splits = NDArray[np.str_]
#: Where a pruner's notes on a trial begin, which other trials' pruning goes by.
_RUNGS = "completed_rung_"


@dataclass(frozen=True)
class Work:
    """What every process of a study is given. The faces are those of train and val, each with its split [N] for each
    fold; the test split is not among them."""

    config: StudyConfig
    faces: FaceSet
    splits: tuple[Splits, ...]
    folder: Path


@dataclass(frozen=True)
class TrialTask:
    """A trial to train. `study` is its study's name, `earlier` are the trials before it as they were when it was
    drawn: from both follows where it is given up."""

    study: str
    number: int
    settings: Mapping[str, Any]
    cost: Cost
    earlier: tuple[FrozenTrial, ...] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Its folder, relative to the study's."""
        return Path("trials") / f"{self.number:03d}"

    @property
    def result(self) -> Path:
        """What says that it is done."""
        return self.folder / "trial.json"

    def __str__(self) -> str:
        return f"trial {self.number}"


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: its value for each objective, or, where it was pruned, what it had reached at each step."""

    state: Literal["complete", "pruned"]
    values: tuple[float, ...]
    steps: Mapping[int, float]
    epochs: int
    seconds: float
    #: the pruner's notes
    rungs: Mapping[str, float]


def read_outcome(path: Path) -> Outcome:
    """What `TrialTrainer` wrote. Raises RunError where it is damaged."""
    document = read_json(path)
    with damage_in(path):
        steps = {int(step): float(value) for step, value in document["steps"].items()}
        values = tuple(float(value) for value in document["values"])
        fields = {name: document[name] for name in ("state", "epochs", "seconds", "rungs")}
        return Outcome(**fields, values=values, steps=steps)


def measure_objectives(names: Sequence[Objective], scores: Sequence[Scores], cost: Cost) -> tuple[float, ...]:
    """The value of each objective, the mean where there are several folds."""
    values = {
        "loss": fmean(each.log_loss for each in scores),
        "accuracy": fmean(each.accuracy for each in scores),
        "macro-recall": fmean(each.macro.recall for each in scores),
        "parameters": cost.parameters,
        "multiply-adds": cost.multiply_adds,
    }
    return tuple(values[name] for name in names)


class TrialTrainer:
    """Trains trials, each into run folders below its own folder. What trials share is kept from one to the next."""

    def __init__(self, work: Work, progress: Progress) -> None:
        self._work, self._progress = work, progress
        self._trainer = Trainer(work.faces, progress)

    def run(self, task: TrialTask) -> None:
        """Train a trial, from where that was interrupted if it was. Raises TaskFailedError where it diverges, and
        FerError for settings with which no trial could begin."""
        try:
            self._run(task)
        except SetUpError as error:
            raise cast(FerError, error.__cause__) from None
        except (FerError, MemoryError, RuntimeError) as error:
            self._trainer.forget()
            raise TaskFailedError(reason_of(error)) from error

    def _run(self, task: TrialTask) -> None:
        work, config = self._work, change_config(self._work.config.run, task.settings, str(task))
        folder = work.folder / task.folder
        last = config.recipe.epochs if work.config.pruner == "hyperband" else len(work.splits)
        watch = _Watch(work.config, task, last, self._progress)
        scores: list[Scores] = []
        epochs, seconds = 0, 0.0
        for fold, splits in enumerate(work.splits, 1):
            path = folder if len(work.splits) == 1 else folder / f"fold-{fold:02d}"
            try:
                result = self._trainer.train(
                    config, splits, path, {"trial": task.number}, progress=watch, replay=watch.replay
                )
                scores.append(result.evaluations[0].scores)
                epochs, seconds = epochs + result.epochs, seconds + result.seconds
                watch.end_fold(fold, measure_objectives(work.config.objectives, scores[-1:], task.cost)[0])
            except _PrunedError:
                outcome = Outcome(
                    "pruned", (), watch.steps, epochs + watch.epochs, seconds + watch.seconds, watch.rungs
                )
                RunFolder(path).checkpoint.unlink(missing_ok=True)  # nothing goes on from it
                break
        else:
            values = measure_objectives(work.config.objectives, scores, task.cost)
            outcome = Outcome("complete", values, watch.steps, epochs, seconds, watch.rungs)
        write_json(
            work.folder / task.result, {"number": task.number, "settings": dict(task.settings), **asdict(outcome)}
        )


class _PrunedError(Exception):
    """A trial is given up."""


class _Watch(Progress):
    """Passes on what a training says, and gives it up where the study's pruner does.

    The pruner sees the trials that were known when this one was drawn, and so decides alike whenever, and wherever,
    the trial is trained. After its `last` step it has come to its end.
    """

    def __init__(self, config: StudyConfig, task: TrialTask, last: int, progress: Progress) -> None:
        self._config, self._last, self._progress = config, last, progress
        self._by_epochs = config.pruner == "hyperband"
        self.steps: dict[int, float] = {}
        self.epochs, self.seconds = 0, 0.0
        with quiet_optuna():
            self._study = optuna.create_study(
                study_name=task.study,  # Hyperband's brackets follow from it
                directions=config.directions,
                sampler=optuna.samplers.RandomSampler(0),
                pruner=make_pruner(config),
            )
            self._study.add_trials(task.earlier)
            self._trial = self._study.ask()
        assert self._trial.number == task.number

    @property
    def rungs(self) -> dict[str, float]:
        """The pruner's notes on this trial."""
        notes = self._study.get_trials(deepcopy=False)[-1].system_attrs
        return {name: float(value) for name, value in notes.items() if name.startswith(_RUNGS)}

    def say(self, text: str) -> None:
        self._progress.say(text)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._progress.step(epoch, done, total, loss, accuracy, rate)

    def epoch(self, row: EpochRow, best: bool) -> None:
        self.epochs, self.seconds = row.epoch, self.seconds + row.seconds
        if self._by_epochs:
            loss = self._config.objectives[0] == "loss"
            self._report(row.epoch, row.val_loss if loss else row.val_accuracy)

    def replay(self, history: Sequence[EpochRow]) -> None:
        """Take in the epochs that an earlier start has finished."""
        self.epochs, self.seconds = 0, 0.0
        for row in history:
            self.epoch(row, best=False)

    def end_fold(self, fold: int, value: float) -> None:
        """A fold ended with this value of the objective."""
        self.epochs, self.seconds = 0, 0.0
        if not self._by_epochs and len(self._config.objectives) == 1:
            self._report(fold, value)

    def _report(self, step: int, value: float) -> None:
        with quiet_optuna():
            self.steps[step] = value
            self._trial.report(value, step)
            if self._trial.should_prune() and step < self._last:
                raise _PrunedError
