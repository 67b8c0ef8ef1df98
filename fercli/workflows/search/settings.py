"""The settings of a study: what study.yaml holds, and how they are resolved from the options and the catalogue."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from fercli.core.config import COMMAND_LINE, RunConfig, raise_settings_error
from fercli.core.errors import UsageError
from fercli.core.files import read_yaml, write_text
from fercli.core.recipe import Count, Positive, Settings
from fercli.core.registry import suggest
from fercli.core.space import Range, Space, parse_space
from fercli.models.catalogue import configured_entry, list_arguments, load_catalogue
from fercli.workflows.search.options import LIMITS, Limit, Objective, Pruner, Sampler, SearchOptions
from fercli.workflows.train.settings import change_config, flatten_settings, resolve_config

#: Objectives of which more is better.
MAXIMISED = frozenset({"accuracy", "macro-recall"})
#: Settings that a study may be continued with another value of.
_CHANGEABLE = frozenset({"trials", "top", "seeds", "confirm_epochs"})
#: Optuna lists all of a grid for each draw.
_MOST_COMBINATIONS = 10_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class StudyConfig(Settings):
    """Everything that decides what a study finds, but for the faces, the machine's speed and how many trials are
    trained side by side."""

    trials: Count = 40
    objectives: tuple[Objective, ...] = ("loss",)
    sampler: Sampler
    pruner: Pruner
    folds: Annotated[int, Field(ge=2, le=20)] | None = None
    limits: dict[Limit, Positive] = Field(default_factory=dict)
    #: how many of the best trials are trained anew, 0 for none, on how many seeds, for how many epochs if not as many
    top: Annotated[int, Field(ge=0)] = 5
    seeds: Count = 3
    confirm_epochs: Count | None = None
    storage: str | None = None
    #: what to choose from, as it is written in a space file
    space: dict[str, Any]
    #: the settings of every trial, but for what the space changes
    run: RunConfig

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("name each --objective once")
        if not set(self.objectives) - {"multiply-adds", "parameters"}:
            raise ValueError("--objective: cost alone needs no training; name loss, accuracy or macro-recall too")
        if len(self.objectives) > 1 and self.pruner != "none":
            raise ValueError("--pruner: several objectives cannot be pruned by; take none")
        if len(self.objectives) == 1 and self.sampler == "nsga2":
            raise ValueError("--sampler nsga2 trades several objectives off: name two, or take tpe")
        if (self.pruner == "wilcoxon") != (self.folds is not None) and self.pruner != "none":
            raise ValueError("--pruner wilcoxon compares folds, hyperband epochs: take wilcoxon with --folds alone")
        return self

    @property
    def parsed_space(self) -> Space:
        """What to choose from."""
        return parse_space(self.space)

    @property
    def default_point(self) -> dict[str, Any]:
        """The settings that the run has without any trial, as far as the space has them."""
        return self.parsed_space.locate(_list_settings(self.run))

    @property
    def directions(self) -> list[Literal["minimize", "maximize"]]:
        """Whether more or less of each objective is better, in Optuna's words."""
        return ["maximize" if name in MAXIMISED else "minimize" for name in self.objectives]

    def differences(self, other: "StudyConfig") -> list[str]:
        """Each setting that differs and that a study cannot be continued with, as 'name: here, there'."""
        ours, theirs = (config.model_dump(exclude={"run", *_CHANGEABLE}) for config in (self, other))
        found = [
            f"{name}: {ours[name]}, {theirs[name]}" for name in ours if ours[name] != theirs[name] and name != "space"
        ]
        if self.space != other.space:
            names = sorted(
                name for name in {*self.space, *other.space} if self.space.get(name) != other.space.get(name)
            )
            found.append(f"space: it differs in {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}")
        return found + self.run.differences(other.run)

    def without_places(self) -> "StudyConfig":
        """The settings that folders and machines on one database must share: not where each of them has its data."""
        here = {"data": Path(self.run.data).name, "root": None}
        return self.model_copy(update={"storage": None, "run": self.run.model_copy(update=here)})

    def write(self, path: Path) -> None:
        """Write every setting, in the order of the schema."""
        document = self.model_dump(mode="json", by_alias=True)
        write_text(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def read_study(path: Path) -> StudyConfig:
    """The settings in a study.yaml. Raises RunError where there is none, UsageError where it is damaged."""
    return _parse(read_yaml(path, "the settings"), str(path))


def _parse(document: object, source: str) -> StudyConfig:
    try:
        return StudyConfig.model_validate(document)
    except ValidationError as error:
        raise_settings_error(error, source, StudyConfig)


def resolve_study(options: SearchOptions, base: StudyConfig | None = None) -> StudyConfig:
    """Every setting of a study: those of `base`, else the catalogue's, with what the options change.

    With neither a model nor data the recipe is 'quick', so that the plain command ends in minutes. Raises ModelError
    for an unknown model or recipe, UsageError for values that make no sense and for a space that does not fit.
    """
    changes = options.search_changes()
    if base is not None:
        document = base.model_dump(mode="json", by_alias=True) | changes
        run = resolve_config(options, base=base.run, origin="what was begun")
    else:
        if options.model is None and options.data is None and options.recipe is None:
            options = replace(options, recipe="quick")
        run = resolve_config(options)
        several = len(options.objectives) > 1
        document = {
            "sampler": "nsga2" if several else "tpe",
            "pruner": "none" if several else "wilcoxon" if options.folds else "hyperband",
            **changes,
        }
    if base is None or options.space is not None:
        document["space"] = dict(find_space(options.space, run).document)
    document["run"] = run.to_document()
    config = _parse(document, COMMAND_LINE)
    if config.sampler != "grid":
        return config
    _check_grid(config)
    return config.model_copy(update={"trials": min(config.trials, config.parsed_space.count_grid())})


def find_space(name: str | None, run: RunConfig) -> Space:
    """The space in a file, or the one of that name that the catalogue has for the model; None is its 'recipe'. The
    catalogue's are widened by the run's own settings, so that the first trial can be the run as it is.

    Raises UsageError, in one line, where there is none, or where a trial of it could not be trained.
    """
    spaces = load_catalogue()[run.model].spaces
    if shipped := name is None or name in spaces:
        if not spaces:
            raise UsageError(f"{run.model} has no space in the catalogue: write one and name it with --space FILE")
        source = f"the space '{name or 'recipe'}' of {run.model}"
        document: object = spaces.get(name or "recipe") or next(iter(spaces.values()))
    elif not Path(name).is_file():
        there = f"{run.model} has {' and '.join(spaces)}; " if spaces else ""
        raise UsageError(f"--space {name}: no such file; {there}fer search --show-space shows one to start from")
    else:
        source, document = f"--space {name}", read_yaml(Path(name), "the space")
    try:
        space = parse_space(document)
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from error
    if shipped:
        space = space.widen(_list_settings(run))
    _check_space(space, run, source)
    return space


def _list_settings(run: RunConfig) -> dict[str, Any]:
    """The settings of a run's recipe and the arguments of its network, by dotted name."""
    entry = configured_entry(run.model, run.arguments)
    arguments = {f"arguments.{name}": value for name, value in list_arguments(entry).items()}
    return flatten_settings(run.recipe.model_dump()) | arguments


def _check_space(space: Space, run: RunConfig, source: str) -> None:
    """Raise UsageError where a setting is unknown, or cannot be what the space says."""
    for name, dimension in space.dimensions.items():
        if name == "val_fraction":
            raise UsageError(f"{source}: {name}: all trials share one split: give it with --set {name}=NUMBER instead")
        if name in RunConfig.model_fields and name != "arguments":
            raise UsageError(f"{source}: {name}: all trials share it: give it as an option instead, or leave it out")
        for value in dimension.examples:
            try:
                change_config(run, {**space.conditions(name), name: value}, source)
            except UsageError as error:  # settings are named as the space names them
                raise UsageError(str(error).replace(f"{source}: recipe.", f"{source}: ")) from error


def _check_grid(config: StudyConfig) -> None:
    """Raise UsageError where a space has no grid."""
    for name, dimension in config.parsed_space.dimensions.items():
        if dimension.when:
            raise UsageError(f"--sampler grid: {name} counts only at times (when); a grid has every combination")
        if isinstance(dimension, Range) and dimension.step is None and not (dimension.whole and not dimension.log):
            raise UsageError(f"--sampler grid: {name} needs a step, or a list of values")
    if (count := config.parsed_space.count_grid()) > _MOST_COMBINATIONS:
        raise UsageError(
            f"--sampler grid: {count:,} combinations are more than {_MOST_COMBINATIONS:,}: shorten the lists, or leave "
            "--sampler out"
        )


def parse_limits(pairs: Sequence[str]) -> dict[Limit, float]:
    """`name=number` pairs as typed after --limit; a number may end in k, M or G. Raises UsageError otherwise."""
    limits: dict[Limit, float] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        limit = next((known for known in LIMITS if known == name.strip()), None)
        if limit is None:
            raise UsageError(f"--limit {pair}: {suggest(name, LIMITS)} Write it as parameters=100k")
        factor = {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:], 1)
        try:
            number = float(text[:-1] if factor > 1 else text) * factor
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            raise UsageError(f"--limit {pair}: write a number above 0, as parameters=100k or multiply-adds=20M")
        limits[limit] = number
    return limits


def parse_duration(text: str) -> float:
    """'90s', '30m', '2h', '1.5d' or plain seconds, in seconds. Raises UsageError for another form."""
    unit = _UNITS.get(text[-1:].lower())
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"--budget {text}: write it as 90s, 30m or 2h")
    return seconds


def dump_space(space: Mapping[str, Any]) -> str:
    """A space as a file holds it, a line a setting."""
    lines = (
        yaml.safe_dump({name: value}, default_flow_style=None, width=1000, allow_unicode=True)
        for name, value in space.items()
    )
    return "".join(lines)
