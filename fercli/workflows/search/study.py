"""A study: its folder, and the record of its trials that Optuna keeps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from fercli.core.config import RunConfig
from fercli.core.errors import RunError, UsageError, reason_of
from fercli.core.files import write_text
from fercli.core.lock import hold_lock
from fercli.models.catalogue import Cost, configured_entry, measure_cost
from fercli.models.timing import measure_milliseconds
from fercli.workflows.search.options import Limit
from fercli.workflows.search.sampling import draw_settings, label_values, make_pruner, make_sampler, quiet_optuna
from fercli.workflows.search.settings import StudyConfig
from fercli.workflows.search.trial import Outcome, TrialTask
from fercli.workflows.train.settings import change_config

#: So many draws one after the other over the limits, and the space is taken to have nothing within them.
_MOST_OVER = 200
#: How long a process waits for another one that draws.
_DRAW_SECONDS = 60.0
_OVER, _FAILED, _FOLDER, _SETTINGS = "over", "failed", "folder", "settings"
#: Names of what is noted with a trial: its cost.
_COSTS = ("parameters", "multiply_adds")


class StudyFolder:
    """The paths of one study. It is complete when search.json exists, which is written last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "study.yaml"
        self.meta = path / "meta.json"
        self.journal = path / "study.log"
        self.trials = path / "trials"
        self.confirmed = path / "confirm"
        self.table = path / "trials.csv"
        self.best = path / "best.yaml"
        self.entry = path / "entry.yaml"
        self.report = path / "report.html"
        self.results = path / "search.json"


class Study:
    """The trials of a study. Several processes may draw from it, and each trial is drawn once."""

    def __init__(self, config: StudyConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        self._space = config.parsed_space
        self._costs: dict[tuple[Any, ...], Cost] = {}
        with quiet_optuna():
            try:
                self._study = optuna.create_study(
                    study_name="fer" if config.storage is None else f"fer {folder.absolute().name}",
                    storage=self._open_storage(),
                    directions=config.directions,
                    sampler=make_sampler(config),
                    pruner=make_pruner(config),
                    load_if_exists=True,
                )
            except Exception as error:  # of whatever database the URL names
                where = f"--storage {config.storage}" if config.storage else str(StudyFolder(folder).journal)
                raise RunError(f"{where}: the study cannot be opened: {reason_of(error)}") from error
            if config.storage is not None:
                self._check_settings()

    def _check_settings(self) -> None:
        """Raise RunError where a database's study was begun with other settings; a folder's is checked by its file."""
        ours = self.config.without_places()
        begun = self._study.user_attrs.get(_SETTINGS)
        if begun is None:
            self._study.set_user_attr(_SETTINGS, ours.model_dump(mode="json", by_alias=True))
        elif differences := StudyConfig.model_validate(begun).differences(ours):
            raise RunError(
                f"--storage {self.config.storage}: the study '{self._study.study_name}' was begun with other settings "
                f"({'; '.join(differences)}): name another --out"
            )

    def _open_storage(self) -> BaseStorage:
        if self.config.storage is not None:
            return optuna.storages.RDBStorage(self.config.storage)
        journal = str(StudyFolder(self.folder).journal)
        return JournalStorage(JournalFileBackend(journal, lock_obj=JournalFileOpenLock(journal)))

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self._study.get_trials(deepcopy=False)

    @property
    def counted(self) -> list[FrozenTrial]:
        """Those that were trained, or are to be: not what was over the limits."""
        return [trial for trial in self.trials if _OVER not in trial.user_attrs]

    def count_ended(self) -> int:
        """How many of them have ended, however."""
        return sum(trial.state.is_finished() for trial in self.counted)

    @property
    def begun(self) -> list[TrialTask]:
        """Trials of this folder that have not ended."""
        with self._drawing():
            return self._take_up()

    def _take_up(self) -> list[TrialTask]:
        here = self._describe_here()
        running = [trial for trial in self.trials if trial.state == TrialState.RUNNING]
        mine = [trial for trial in running if trial.user_attrs.get(_FOLDER, here) == here]
        tasks = [self._draw(optuna.Trial(self._study, trial._trial_id)) for trial in mine]
        return [task for task in tasks if task is not None]

    def draw(self) -> TrialTask | None:
        """The next trial within the limits; None where the study has as many as it is to have. Raises UsageError where
        nothing seems to keep the limits."""
        for _ in range(_MOST_OVER):
            with self._drawing():
                if self._is_full():  # asked under the lock: two processes must not both draw the last one
                    return None
                self._begin_with_default()
                task = self._draw(self._study.ask())
            if task is not None:
                return task
        limits = " or ".join(f"{most:,g} {name}" for name, most in self.config.limits.items())
        if not limits:
            raise UsageError(f"the settings of {_MOST_OVER} trials in a row do not go together: narrow the space")
        raise UsageError(f"--limit: {_MOST_OVER} draws in a row were over {limits}: raise it, or narrow the space")

    def _begin_with_default(self) -> None:
        """Make TPE's first trial the recipe as it is, from which it learns. What the space does not have of it is
        drawn."""
        if not self.trials and self.config.sampler == "tpe":
            self._study.enqueue_trial(label_values(self.config.default_point, self._space))

    def _is_full(self) -> bool:
        """Whether there are as many trials as asked for, or every combination of a grid was drawn."""
        if len(self.counted) >= self.config.trials:
            return True
        return self.config.sampler == "grid" and len(self.trials) >= self._space.count_grid()

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Be the only process that draws for this folder: two must not decide on one trial."""
        with hold_lock(self.folder / "draw", wait=_DRAW_SECONDS), quiet_optuna():
            yield

    def _draw(self, trial: optuna.Trial) -> TrialTask | None:
        """A trial with its settings, whether just begun or begun before an interruption; None where it is over the
        limits, or where its settings make no training."""
        trial.set_user_attr(_FOLDER, self._describe_here())
        settings = draw_settings(trial, self._space)
        try:
            changed = change_config(self.config.run, settings, f"trial {trial.number}")
        except UsageError as error:  # settings that do not go together
            trial.set_user_attr(_FAILED, str(error))
            self._study.tell(trial.number, state=TrialState.FAIL)
            return None
        earlier = tuple(self.trials[: trial.number])
        task = TrialTask(self._study.study_name, trial.number, settings, self._cost_of(changed), earlier)
        # one that was begun before was within the limits: milliseconds measured again may differ
        if not trial.user_attrs.keys() >= set(_COSTS) and not self._keeps_limits(trial, changed, task.cost):
            return None
        for name in _COSTS:
            trial.set_user_attr(name, getattr(task.cost, name))
        return task

    def _keeps_limits(self, trial: optuna.Trial, config: RunConfig, cost: Cost) -> bool:
        """Whether a trial costs no more than the limits; one that does has ended."""
        limits = self.config.limits
        costs: dict[Limit, float] = {"parameters": cost.parameters, "multiply-adds": cost.multiply_adds}
        if "ms" in limits:
            costs["ms"] = measure_milliseconds(configured_entry(config.model, config.arguments))
        if over := [name for name, most in limits.items() if costs[name] > most]:
            trial.set_user_attr(_OVER, over)
            # several objectives take no trial that was pruned
            state = TrialState.PRUNED if len(self.config.objectives) == 1 else TrialState.FAIL
            self._study.tell(trial.number, state=state)
        return not over

    def _cost_of(self, config: RunConfig) -> Cost:
        key = tuple(sorted(config.arguments.items()))
        if key not in self._costs:
            self._costs[key] = measure_cost(configured_entry(config.model, config.arguments))
        return self._costs[key]

    def _describe_here(self) -> str:
        """Whose trials those of this folder are, where others write to the same database. The mark lies in the folder:
        a machine that shares it, or a container under a new name, goes on with them."""
        if self.config.storage is None:
            return "."
        mark = self.folder / ".mark"
        if not mark.is_file():
            write_text(mark, uuid4().hex)
        return mark.read_text(encoding="ascii")

    def tell(self, task: TrialTask, outcome: Outcome) -> None:
        """Record how a trial ended."""
        with quiet_optuna():
            trial = self.trials[task.number]
            if trial.state.is_finished():
                return
            storage, key = self._study._storage, trial._trial_id
            for step, value in outcome.steps.items():
                storage.set_trial_intermediate_value(key, step, value)
            for name, note in outcome.rungs.items():
                storage.set_trial_system_attr(key, name, note)
            for name in ("epochs", "seconds"):
                storage.set_trial_user_attr(key, name, getattr(outcome, name))
            if outcome.state == "pruned":
                self._study.tell(task.number, state=TrialState.PRUNED)
            else:
                self._study.tell(task.number, list(outcome.values))

    def tell_failure(self, task: TrialTask, reason: str) -> None:
        """Record that a trial failed."""
        with quiet_optuna():
            trial = self.trials[task.number]
            if not trial.state.is_finished():
                self._study._storage.set_trial_user_attr(trial._trial_id, _FAILED, reason)
                self._study.tell(task.number, state=TrialState.FAIL)

    @property
    def best(self) -> list[FrozenTrial]:
        """Trials that came to their end, the best first; with several objectives those that no other one beats in all
        of them, by the first objective."""
        complete = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        if len(self.config.objectives) > 1 and complete:
            complete = self._study.best_trials
        sign = -1 if self.config.directions[0] == "maximize" else 1
        return sorted(complete, key=lambda trial: (sign * trial.values[0], trial.number))

    @property
    def record(self) -> optuna.Study:
        """Optuna's own object, for its plots and measures."""
        return self._study


def read_cost(trial: FrozenTrial) -> Cost:
    """What the network of a trial costs; nothing where there was none."""
    return Cost(*(int(trial.user_attrs.get(name, 0)) for name in _COSTS))


def describe_failures(trials: Sequence[FrozenTrial]) -> dict[int, str]:
    """Why trials failed, by their numbers."""
    return {trial.number: str(trial.user_attrs[_FAILED]) for trial in trials if _FAILED in trial.user_attrs}


def read_settings(study: Study, trial: FrozenTrial) -> dict[str, Any]:
    """The settings of a trial by dotted name, those included that all trials have."""
    return draw_settings(optuna.trial.FixedTrial(trial.params), study.config.parsed_space)
