"""A run's settings from what was typed, the catalogue and a config file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from fercli.core.catalogue import merged
from fercli.core.config import COMMAND_LINE, RunConfig, parse_config
from fercli.core.errors import UsageError
from fercli.core.recipe import rename_settings
from fercli.data.sets import SETS
from fercli.models.catalogue import load_catalogue
from fercli.workflows.run_folder import read_config
from fercli.workflows.train.teacher import lasting_name


def settings(
    *,
    model: str | None = None,
    data: str | None = None,
    recipe: str | None = None,
    config: Path | RunConfig | None = None,
    changes: Mapping[str, Any],
    overrides: Mapping[str, Any],
    pretrained: Path | Literal[False] | None = None,
    reading: Mapping[str, Any] | None = None,
) -> RunConfig:
    """Resolve a run's settings: a config's (or its file's) or the catalogue's, then `changes` (settings beside the
    recipe, None leaves one alone), then `overrides` (recipe settings by dotted name, e.g. 'optimizer.lr').

    `reading` says how the data are read, None and missing keys leaving that alone (see fercli.core.config.LoadOptions).
    `pretrained` is a file of weights to start from, or False to start from scratch, which freezes nothing.
    Raises ModelError for an unknown model or recipe, UsageError for values that make no sense.
    """
    asked = {key: value for key, value in {"model": model, "data": data, **changes}.items() if value is not None}
    if config is not None:
        base = (read_config(config) if isinstance(config, Path) else config).model_dump(mode="json")
        if recipe is not None and recipe != base["recipe_name"]:
            raise UsageError(
                f"--recipe {recipe}: {_origin(config)} holds the recipe '{base['recipe_name']}' in full; leave one out"
            )
    else:
        catalogue = load_catalogue()
        name = model or catalogue.default
        chosen = recipe or "best"
        base = {
            "model": name,
            "data": "cartoon",
            # the papers split by image, whoever is in it
            "group": "image" if chosen.startswith("paper") else "auto",
            "recipe_name": chosen,
            "recipe": catalogue.recipe(name, chosen).model_dump(mode="json"),
        }
    # a run must find its data from wherever it is looked at
    if root := asked.get("root"):
        asked["root"] = str(Path(root).absolute())
    for key in ("data", "extra"):
        if (named := asked.get(key)) and named not in SETS and Path(named).exists():
            asked[key] = str(Path(named).absolute())
    if teacher := asked.get("teacher"):
        asked["teacher"] = lasting_name(teacher)
    base = {**base, **asked, "reading": {**base.get("reading", {}), **_read_as(reading or {})}}
    if pretrained is not None:
        base = {**base, **_started_from(pretrained, base)}
    base["recipe"] = merged(base["recipe"], nested(overrides))
    return parse_config(base, COMMAND_LINE)


def _read_as(reading: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of the reading, its table where it is found from everywhere."""
    said = {key: value for key, value in reading.items() if value is not None}
    if "subjects" in said:
        said["subjects"] = str(Path(said["subjects"]).absolute())
    return said


def _origin(config: Path | RunConfig) -> str:
    return str(config) if isinstance(config, Path) else f"what was begun with {config.model}"


def _started_from(pretrained: Path | Literal[False], base: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that change where a run starts from other weights than its recipe says."""
    if pretrained is False:
        return {"pretrained_file": None, "recipe": {**base["recipe"], "pretrained": "none", "frozen": ()}}
    entry = load_catalogue()[base["model"]]
    if entry.imagenet is None:
        raise UsageError(f"--pretrained-file: {base['model']} starts from scratch, as its paper did; leave it out")
    recipe = {**base["recipe"], "pretrained": "imagenet"}
    own = entry.recipes.get(base["recipe_name"])
    if base["recipe"]["pretrained"] == "none" and own is not None:
        recipe["frozen"] = own.frozen  # starting from scratch had taken it out
    return {"pretrained_file": str(Path(pretrained).absolute()), "recipe": recipe}


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs as typed after --set; values are read as YAML. Raises UsageError for another form."""
    out: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair}: write it as key=value, e.g. --set optimizer.lr=1e-3")
        try:
            out[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {pair}: the value is not valid YAML") from error
    return out


def nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe settings by dotted name as nested blocks, by their names of today: {'a.b': 1} to {'a': {'b': 1}}.

    Raises UsageError where a setting stands under an old and a new name.
    """
    out: dict[str, Any] = {}
    for name, value in overrides.items():
        for key in reversed(name.split(".")):
            value = {key: value}
        out = merged(out, value)
    try:
        return rename_settings(out)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None
