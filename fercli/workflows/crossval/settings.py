"""The settings of a cross-validation: what crossval.yaml holds, and how they are resolved from the options."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from fercli.core.config import COMMAND_LINE, RunConfig, raise_settings_error
from fercli.core.errors import RunError, UsageError
from fercli.core.files import read_yaml, write_text
from fercli.core.parse import parse_yaml
from fercli.core.recipe import Count, Settings
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.train.settings import resolve_config

#: 'auto' is 'subject' where persons are known and enough for the folds; 'both' runs one after the other.
Group = Literal["auto", "image", "subject", "both"]

#: 'fold': each fold takes the setting that is best on its own validation faces; 'mean': all folds of a run take one, by
#: the mean of their validation errors.
SelectBy = Literal["fold", "mean"]

#: What a network has to beat, on the same folds.
Baseline = Literal["pca-svm", "nearest", "majority"]


class CrossvalConfig(Settings):
    """Everything that decides what a cross-validation gives, but for the faces themselves.

    How many folds train side by side is not among it: with `threads` fixed, results do not depend on it.
    """

    folds: int = 10
    runs: Count = 1
    #: the seeds of all runs and folds follow from it
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    group: Group = "auto"
    baselines: tuple[Baseline, ...] = ()
    #: whether settings are chosen on validation faces, and the network then retrained on train + validation
    select: bool = False
    #: by what they are chosen, where they are
    select_by: SelectBy = "fold"
    #: what to choose from: recipe settings by dotted name with their values; empty for three learning rates
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    #: processor threads of each fold: arithmetic depends on them in the last digits
    threads: Count = 1
    #: the settings of each network's trainings, but for seed and group
    models: tuple[RunConfig, ...]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [model.model for model in self.models]
        if not names or len(set(names)) < len(names):
            raise ValueError("name at least one --model, each of them once")
        return self

    @property
    def folds_choose_together(self) -> bool:
        """Whether no fold can be retrained before all folds of its run have tried their candidates."""
        return self.select and self.select_by == "mean"

    @property
    def methods(self) -> tuple[str, ...]:
        """Networks and baselines by name, in the order of the tables."""
        return (*(model.model for model in self.models), *self.baselines)

    def differences(self, other: "CrossvalConfig") -> list[str]:
        """Each setting that differs, as 'name: here, there'."""
        ours, theirs = (config.model_dump(exclude={"models"}) for config in (self, other))
        differences = [f"{name}: {ours[name]}, {theirs[name]}" for name in ours if ours[name] != theirs[name]]
        names = [[model.model for model in config.models] for config in (self, other)]
        if names[0] != names[1]:
            return [*differences, f"model: {' '.join(names[0])}, {' '.join(names[1])}"]
        for mine, yours in zip(self.models, other.models, strict=True):
            differences += [text if len(names[0]) == 1 else f"{mine.model} {text}" for text in mine.differences(yours)]
        return differences

    def write(self, path: Path) -> None:
        """Write every setting, in the order of the schema."""
        document = self.model_dump(mode="json", by_alias=True)
        write_text(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def read_crossval(path: Path) -> CrossvalConfig:
    """The settings in a crossval.yaml. Raises RunError where there is none, UsageError where it is damaged."""
    return parse_crossval(read_yaml(path, "the settings"), str(path))


def parse_crossval(document: object, source: str) -> CrossvalConfig:
    """Settings from plain values. Raises UsageError listing every fault; `source` is where they come from."""
    try:
        return CrossvalConfig.model_validate(document)
    except ValidationError as error:
        raise_settings_error(error, source, CrossvalConfig)


def choose_threads(folds: int, runs: int) -> int:
    """Threads a fold, where none are asked for: one, since folds side by side use a processor better than threads
    do, but no processor idle for want of folds."""
    return max(1, (os.cpu_count() or 1) // (folds * runs))


def resolve_crossval(options: CrossvalOptions, base: CrossvalConfig | None = None) -> CrossvalConfig:
    """Every setting of a cross-validation: those of `base`, else the catalogue's, with what the options change.

    With neither a model nor data the recipe is 'quick', so that the plain command ends in minutes.
    Raises ModelError for an unknown model or recipe, UsageError for values that make no sense, RunError for models
    that are not those of `base`.
    """
    changes = options.crossval_changes()
    if base is not None:
        names = tuple(model.model for model in base.models)
        if options.models and options.models != names:
            raise RunError(f"it was begun with --model {' --model '.join(names)}: leave --model out to continue it")
        document = base.model_dump(mode="json") | changes
        models = [
            resolve_config(options, base=model, origin=f"what was begun with {model.model}") for model in base.models
        ]
    else:
        document = changes
        if not options.models and options.data is None and options.recipe is None:
            options = replace(options, recipe="quick")
        models = [resolve_config(options, model=name) for name in options.models or (None,)]
    document["models"] = [model.to_document() for model in models]
    config = parse_crossval(document, COMMAND_LINE)
    if "threads" not in document:
        config = config.model_copy(update={"threads": choose_threads(config.folds, config.runs)})
    return config


def parse_grid(pairs: Sequence[str]) -> dict[str, list[Any]]:
    """`key=value,value` pairs as typed after --grid; values are read as YAML. Raises UsageError for another form."""
    grid: dict[str, list[Any]] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        try:
            values = parse_yaml(f"[{text}]")
        except ValueError:
            values = None
        if not key or not equals or not values:
            raise UsageError(f"--grid {pair}: write it as key=value,value, e.g. --grid optimizer.lr=1e-3,3e-3")
        grid[key.strip()] = values
    return grid
