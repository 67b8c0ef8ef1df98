"""A cross-validation's settings from what was typed, the catalogue, or what was begun."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from fercli.core.config import RunConfig
from fercli.core.errors import RunError, UsageError
from fercli.workflows.crossval.settings import CrossvalConfig, parse_crossval, threads_for
from fercli.workflows.train.settings import settings


def crossval_settings(
    *,
    models: Sequence[str] = (),
    data: str | None = None,
    recipe: str | None = None,
    changes: Mapping[str, Any],
    overrides: Mapping[str, Any],
    pretrained: Path | Literal[False] | None = None,
    reading: Mapping[str, Any] | None = None,
    protocol: Mapping[str, Any],
    begun: CrossvalConfig | None = None,
) -> CrossvalConfig:
    """Resolve all settings: those of `begun`, else the catalogue's, then what was asked for.

    `changes`, `overrides` and `reading` are those of `settings`, for every model; `protocol` are CrossvalConfig's own
    (None leaves one alone). With neither a model nor data the recipe is 'quick', so that the plain command ends in
    minutes.
    Raises ModelError for an unknown model or recipe, UsageError for values that make no sense, RunError for models
    that are not those of `begun`.
    """
    asked = {key: value for key, value in protocol.items() if value is not None}
    if pretrained and len(models) > 1:
        raise UsageError("--pretrained-file holds the weights of one network: name one --model with it")

    def one(name: str | None, config: RunConfig | None, recipe: str | None) -> RunConfig:
        return settings(
            model=name, data=data, recipe=recipe, config=config,
            changes=changes, overrides=overrides, pretrained=pretrained, reading=reading,
        )  # fmt: skip

    if begun is not None:
        own = [model.model for model in begun.models]
        if models and list(models) != own:
            raise RunError(f"it was begun with --model {' --model '.join(own)}: leave --model out to continue it")
        document = begun.model_dump(mode="json") | asked
        found = [one(None, model, recipe) for model in begun.models]
    else:
        document = asked
        if not models and data is None:
            recipe = recipe or "quick"
        found = [one(name, None, recipe) for name in (models or (None,))]
    document["models"] = [model.model_dump(mode="json") for model in found]
    config = parse_crossval(document, "settings")
    if "threads" not in document:
        config = config.model_copy(update={"threads": threads_for(config.folds, config.runs)})
    return config


def parse_grid(pairs: Sequence[str]) -> dict[str, list[Any]]:
    """`key=value,value` pairs as typed after --grid; values are read as YAML. Raises UsageError for another form."""
    out: dict[str, list[Any]] = {}
    for pair in pairs:
        key, equals, values = pair.partition("=")
        try:
            found = yaml.safe_load(f"[{values}]")
        except yaml.YAMLError:
            found = None
        if not key or not equals or not found:
            raise UsageError(f"--grid {pair}: write it as key=value,value, e.g. --grid optimizer.lr=1e-3,3e-3")
        out[key.strip()] = found
    return out
