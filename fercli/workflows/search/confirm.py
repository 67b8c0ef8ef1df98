"""The best trials trained anew on several seeds, beside the recipe that nothing was changed in, and ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, cast

from fercli.core.config import RunConfig
from fercli.core.errors import FerError, RunError, reason_of
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.progress import Progress
from fercli.metrics.repeated_crossval import Interval, corrected_t
from fercli.models.catalogue import Cost, configured_entry, measure_cost
from fercli.runner.tasks import Job, TaskFailedError, Worker
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.search.conduct import Placement, run_tasks
from fercli.workflows.search.settings import MAXIMISED, StudyConfig
from fercli.workflows.search.study import Study, read_settings
from fercli.workflows.search.trial import Work, measure_objectives
from fercli.workflows.train.settings import change_config
from fercli.workflows.train.trainer import SetUpError, Trainer

#: The name of the recipe as it is.
DEFAULT = "default"
#: A winner beats the default where chance explains its lead with less than this probability.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class ConfirmTask:
    """One candidate on one seed."""

    name: str
    config: RunConfig
    cost: Cost

    @property
    def result(self) -> Path:
        """What says that it is done, relative to the study's folder."""
        return Path("confirm") / self.name / f"seed-{self.config.seed}" / "confirm.json"

    def __str__(self) -> str:
        return f"{self.name} with seed {self.config.seed}"


@dataclass(frozen=True)
class Ranked:
    """A candidate that was trained anew: the value of each objective for each seed, and its settings."""

    name: str
    settings: Mapping[str, Any]
    cost: Cost
    values: tuple[tuple[float, ...], ...]

    @property
    def first(self) -> list[float]:
        """The first objective's value for each seed."""
        return [values[0] for values in self.values]

    @property
    def mean(self) -> float:
        """Their mean."""
        return fmean(self.first)

    @property
    def sd(self) -> float | None:
        """Their sample standard deviation; None for one seed."""
        return stdev(self.first) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Ranking:
    """All candidates that were trained anew, the best first, the default among them; and how far the best trial is
    ahead of the default, positive where it is better. Its p is corrected for the number of trials that were compared.
    `failed` are the trials that some seed failed with, and why: they are out, but count for p."""

    rows: tuple[Ranked, ...]
    lead: Interval | None
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def winner(self) -> Ranked | None:
        """The best of what was found."""
        return next((row for row in self.rows if row.name != DEFAULT), None)

    @property
    def default_leads(self) -> bool:
        """Whether the recipe as it is does better than all that was found."""
        return self.rows[0].name == DEFAULT and len(self.rows) > 1

    @property
    def beats_default(self) -> bool:
        """Whether chance does not explain the winner's lead."""
        return self.lead is not None and self.lead.mean > 0 and self.lead.p < SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        rows = [{**asdict(row), "mean": row.mean, "sd": row.sd} for row in self.rows]
        lead = asdict(self.lead) if self.lead else None
        return {"rows": rows, "lead": lead, "beats_default": self.beats_default, "failed": dict(self.failed)}


def confirm_best(study: Study, work: Work, placement: Placement, progress: Progress) -> Ranking | None:
    """Train the best trials and the default on each seed, and rank them on the validation split; None where the only
    trial that came to its end is the default itself.

    A trial that fails with some seed is left out. Raises RunError where the default fails, or all trials do.
    """
    config = study.config
    candidates = choose_candidates(study)
    if len(candidates) == 1:
        return None
    # seeds that no trial had
    seeds = [config.run.seed + 1 + index for index in range(config.seeds)]
    tasks = [_plan(config, name, settings, seed) for name, settings in candidates.items() for seed in seeds]
    tally = _Tally(work.folder, tasks, progress)
    job = Job(work.folder, partial(_make_confirmer, work), lambda task: task.result)
    if tally.pending:
        run_tasks(job, tally, replace(placement, jobs=min(placement.jobs, len(tally.pending))), progress)
    failed = {task.name: f"{task} failed ({reason})" for task, reason in tally.failed}
    if DEFAULT in failed or len(failed) == len(candidates) - 1:
        raise RunError(
            f"{failed.get(DEFAULT) or next(iter(failed.values()))}, so nothing is ranked: fer search --resume --out "
            f"{work.folder} tries again, with --top 0 it reports the trials alone"
        )
    rows = [
        Ranked(
            name,
            settings,
            next(task.cost for task in tasks if task.name == name),
            tuple(_read_values(work.folder / task.result) for task in tasks if task.name == name),
        )
        for name, settings in candidates.items()
        if name not in failed
    ]
    return rank(rows, failed, maximised=config.objectives[0] in MAXIMISED)


def choose_candidates(study: Study) -> dict[str, Mapping[str, Any]]:
    """The settings of the default and of the best trials, by name. A trial that is the default itself is left out."""
    default = study.config.default_point
    best = [(f"trial-{trial.number:03d}", read_settings(study, trial)) for trial in study.best]
    others = [(name, settings) for name, settings in best if settings != default]
    return {DEFAULT: {}, **dict(others[: study.config.top])}


def rank(rows: Sequence[Ranked], failed: Mapping[str, str] | None = None, *, maximised: bool) -> Ranking:
    """The candidates in order, and the test of the best one against the default: a paired t over the seeds, whose p is
    multiplied by the number of trials that it was chosen from, those included that failed."""
    sign, failed = 1 if maximised else -1, failed or {}
    ordered = sorted(rows, key=lambda row: -sign * row.mean)
    default = next(row for row in rows if row.name == DEFAULT)
    winner = next((row for row in ordered if row.name != DEFAULT), None)
    if winner is None:
        return Ranking(tuple(ordered), None, failed)
    differences = [sign * (theirs - ours) for theirs, ours in zip(winner.first, default.first, strict=True)]
    lead = corrected_t(differences, 0)
    choices = len(rows) - 1 + len(failed)
    return Ranking(tuple(ordered), replace(lead, p=min(1.0, lead.p * choices)), failed)


def _plan(config: StudyConfig, name: str, settings: Mapping[str, Any], seed: int) -> ConfirmTask:
    changed = change_config(config.run, settings, name)
    recipe = changed.recipe.model_copy(update={"epochs": config.confirm_epochs or changed.recipe.epochs})
    changed = changed.model_copy(update={"seed": seed, "recipe": recipe})
    return ConfirmTask(name, changed, measure_cost(configured_entry(changed.model, changed.arguments)))


def _read_values(path: Path) -> tuple[float, ...]:
    document = read_json(path)
    with damage_in(path):
        return tuple(float(value) for value in document["values"])


def _make_confirmer(work: Work, folder: Path, progress: Progress) -> Worker[ConfirmTask]:
    return _Confirmer(replace(work, folder=folder), progress)


class _Confirmer:
    """Trains candidates, each into a run folder."""

    def __init__(self, work: Work, progress: Progress) -> None:
        self._work = work
        self._trainer = Trainer(work.faces, progress)

    def run(self, task: ConfirmTask) -> None:
        """Train one, from where that was interrupted if it was."""
        path = self._work.folder / task.result
        try:
            result = self._trainer.train(task.config, self._work.splits[0], path.parent)
        except SetUpError as error:
            raise cast(FerError, error.__cause__) from None
        except (FerError, MemoryError, RuntimeError) as error:
            self._trainer.forget()
            raise TaskFailedError(reason_of(error)) from error
        values = measure_objectives(self._work.config.objectives, [result.evaluations[0].scores], task.cost)
        write_json(path, {"values": values, "seconds": result.seconds})


class _Tally:
    """Counts candidates as they end; a task is done where its file is of the same settings."""

    def __init__(self, folder: Path, tasks: Sequence[ConfirmTask], progress: Progress) -> None:
        self._folder, self._progress, self._total = folder, progress, len(tasks)
        self.failed: list[tuple[ConfirmTask, str]] = []
        self._fractions: dict[int, float] = {}
        self._lost: set[str] = set()
        self._pending = [task for task in tasks if not self._is_done(task)]
        self._done = len(tasks) - len(self._pending)
        if self._pending:
            progress.say(f"training the best trials and the default anew: {len(self._pending)} trainings")

    def _is_done(self, task: ConfirmTask) -> bool:
        path = self._folder / task.result
        run = RunFolder(path.parent)
        if not path.is_file() or not run.config.is_file() or run.read_config().differences(task.config):
            path.unlink(missing_ok=True)
            return False
        return True

    @property
    def pending(self) -> list[ConfirmTask]:
        return self._pending

    def advance(self, slot: int, fraction: float) -> None:
        self._fractions[slot] = fraction
        self._progress.update(self._done + sum(self._fractions.values()), self._total, "trainings")

    def finish(self, slot: int, task: ConfirmTask) -> None:
        self._fractions.pop(slot, None)
        self._done += 1
        values = _read_values(self._folder / task.result)
        self._progress.say(f"{task}: {values[0]:.4f}   {self._done} of {self._total}")

    def fail(self, slot: int, task: ConfirmTask, reason: str) -> None:
        self._fractions.pop(slot, None)
        self.failed.append((task, reason))
        self._progress.say(f"{task} failed ({reason}): going on with the others")

    def lose(self, slot: int, task: ConfirmTask, reason: str) -> bool:
        if str(task) in self._lost:
            self.fail(slot, task, reason)
            return False
        self._lost.add(str(task))
        return True
