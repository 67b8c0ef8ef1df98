"""Optuna's samplers and pruners, as a study's settings ask for them.

A trial's draws follow from the study's seed, the trial's number and what was known when it was drawn, so that a study
that is interrupted draws the trials that it would have drawn.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import BaseTrial, FrozenTrial, TrialState

from fercli.core.space import Choice, Range, Space
from fercli.workflows.search.settings import StudyConfig

#: Of the trials in a round of Hyperband, one in so many goes on to the next.
_REDUCTION = 3
#: Trials in a generation of NSGA-II. Optuna's 50 would draw all of the usual 40 trials by chance.
_POPULATION = 16
#: Wilcoxon's pruner gives a trial up where it is worse than the best by chance with this probability at most.
_PRUNE_P = 0.1


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna's notes to itself: what it marks as experimental is no news for who searches."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", module="optuna")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def draw_settings(trial: BaseTrial, space: Space) -> dict[str, Any]:
    """The settings of a trial, by dotted name; what it was given before an interruption stays."""
    return space.sample(lambda name, dimension: _suggest(trial, name, dimension))


def _suggest(trial: BaseTrial, name: str, dimension: Range | Choice) -> Any:
    if isinstance(dimension, Choice):
        if len(dimension.values) == 1:
            return dimension.values[0]
        labels = [_label(value) for value in dimension.values]
        return dimension.values[labels.index(trial.suggest_categorical(name, labels))]
    if dimension.whole:
        step = int(dimension.step or 1)
        return trial.suggest_int(name, int(dimension.low), int(dimension.high), step=step, log=dimension.log)
    return trial.suggest_float(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)


def _label(value: Any) -> Any:
    """A value as Optuna takes it: text for lists and blocks."""
    return value if isinstance(value, bool | int | float | str) else str(value)


def label_values(settings: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Settings of a space as Optuna takes them; those that have one value alone are not Optuna's matter."""
    chosen = {name: space.dimensions[name] for name in settings}
    return {
        name: _label(settings[name]) if isinstance(dimension, Choice) else settings[name]
        for name, dimension in chosen.items()
        if not (isinstance(dimension, Choice) and len(dimension.values) == 1)
    }


def _label_grid(space: Space) -> dict[str, list[Any]]:
    """The values of each setting in a grid, as Optuna takes them."""
    grid = {name: values for name, values in space.list_grid().items() if len(values) > 1}
    return {name: [_label(value) for value in values] for name, values in grid.items()}


def make_sampler(config: StudyConfig) -> BaseSampler:
    """The sampler of a study, which draws each trial by its number."""
    return _ByNumber(config)


def _make_seeded(config: StudyConfig, seed: int) -> BaseSampler:
    if config.sampler == "random":
        return optuna.samplers.RandomSampler(seed)
    if config.sampler == "grid":
        return optuna.samplers.GridSampler(_label_grid(config.parsed_space), seed)
    if config.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(population_size=_POPULATION, seed=seed)
    several = len(config.objectives) > 1
    return optuna.samplers.TPESampler(seed=seed, multivariate=not several, group=not several, constant_liar=True)


class _ByNumber(BaseSampler):
    """Asks a new sampler for each draw, whose seed is made of the study's, the trial's number and the setting's name:
    a trial is drawn alike whatever this process has drawn before."""

    def __init__(self, config: StudyConfig) -> None:
        self._config = config

    def _seeded(self, trial: FrozenTrial, name: str = "") -> BaseSampler:
        # all trials share one order of a grid's combinations
        rest = [] if self._config.sampler == "grid" else [trial.number, *name.encode()]
        words = [self._config.run.seed, *rest]
        return _make_seeded(self._config, int(np.random.SeedSequence(words).generate_state(1)[0]))

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._seeded(trial).before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        self._relative = self._seeded(trial)
        return self._relative.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._relative.sample_relative(study, trial, dict(search_space))

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._seeded(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        if self._config.sampler == "nsga2":  # the grid's would end a study that Optuna does not run
            self._seeded(trial).after_trial(study, trial, state, values)


def make_pruner(config: StudyConfig) -> optuna.pruners.BasePruner:
    """The pruner of a study."""
    if config.pruner == "hyperband":
        epochs = config.run.recipe.epochs
        return optuna.pruners.HyperbandPruner(1, max(epochs, 1), _REDUCTION)
    if config.pruner == "wilcoxon":
        return optuna.pruners.WilcoxonPruner(p_threshold=_PRUNE_P)
    return optuna.pruners.NopPruner()
