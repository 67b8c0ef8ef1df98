"""A run's settings, resolved from the options, the catalogue and the config of another run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fercli.core.config import COMMAND_LINE, LoadOptions, RunConfig, parse_config
from fercli.core.errors import UsageError
from fercli.core.parse import parse_yaml
from fercli.core.recipe import merge_settings, rename_settings
from fercli.core.text import format_count, shorten
from fercli.data.load import SETS
from fercli.models.catalogue import configured_entry, load_catalogue
from fercli.models.locate import member_names, weights_path
from fercli.workflows.train.options import CommonOptions
from fercli.workflows.train.start import find_entry, read_start


def resolve_config(
    options: CommonOptions, *, model: str | None = None, base: RunConfig | None = None, origin: str = ""
) -> RunConfig:
    """Every setting of a run: those of `base`, else the catalogue's for `model`, with what the options change.

    `origin` says in errors where `base` comes from. Raises ModelError for an unknown model or recipe, UsageError for
    values that make no sense.
    """
    changes = _locate(options.run_changes())
    if base is None:
        document = _catalogue_settings(changes.get("model", model), options.recipe, changes.get("start_from"))
    elif options.recipe is None or options.recipe == base.recipe_name:
        document = base.to_document()
    else:
        raise UsageError(
            f"--recipe {options.recipe}: {origin} holds the recipe '{base.recipe_name}' in full; leave one out"
        )
    document |= changes
    document["reading"] = {**document.get("reading", {}), **_load_changes(options.load_options)}
    if options.pretrained_file:
        document |= _start_from_file(options.pretrained_file, document)
    elif not options.pretrained:
        scratch = {**document["recipe"], "pretrained": "none", "frozen": (), "freeze_batchnorm": False}
        document |= {"pretrained_file": None, "start_from": None, "recipe": scratch}
    if (start := document.get("start_from")) and start != (base.start_from if base else None):
        document["recipe"] = {**document["recipe"], "pretrained": "start-from", "frozen": ()}
    config = parse_config(document, COMMAND_LINE)
    if changes := options.recipe_changes():
        return change_config(config, changes, COMMAND_LINE)
    _check_network(config, origin)
    return config


def change_config(config: RunConfig, settings: Mapping[str, Any], source: str) -> RunConfig:
    """A run's settings with some of its recipe changed, by dotted name, or of its network, by 'arguments.' and name.

    Raises UsageError, with the `source` of the changes, where one makes no sense.
    """
    document = config.to_document()
    changes = nest_settings(settings)
    arguments = changes.pop("arguments", {})
    if not isinstance(arguments, Mapping):
        where = "--set" if source == COMMAND_LINE else f"{source}:"
        raise UsageError(f"{where} arguments: name the one that changes, as in arguments.width")
    document["arguments"] |= arguments
    document["recipe"] = merge_settings(document["recipe"], changes)
    changed = parse_config(document, source)
    _check_network(changed, source)
    return changed


def _check_network(config: RunConfig, source: str) -> None:
    """Raise UsageError where the arguments make no network."""
    try:
        configured_entry(config.model, config.arguments)
    except UsageError as error:
        raise UsageError(f"--set {error}" if source == COMMAND_LINE else f"{source}: {error}") from error


def _catalogue_settings(model: str | None, recipe: str | None, start: str | None = None) -> dict[str, Any]:
    """What a run is without any other option than these. What starts from a trained network is one of its kind, with
    the recipe for that."""
    catalogue = load_catalogue()
    arguments: dict[str, Any] = {}
    if start:
        header = read_start(start)
        if model in (None, header.model):
            model, arguments = find_entry(header, start)
        recipe = recipe or ("finetune" if catalogue.finetune else None)
    model, recipe = model or catalogue.default, recipe or "best"
    return {
        "model": model,
        "arguments": arguments,
        "data": "cartoon",
        # the papers split by image, whoever is in it
        "group": "image" if recipe.startswith("paper") else "auto",
        "recipe_name": recipe,
        "recipe": catalogue.recipe(model, recipe).model_dump(mode="json"),
    }


def _locate(changes: dict[str, Any]) -> dict[str, Any]:
    """The same settings with paths that a run finds wherever it is looked at from."""
    located = dict(changes)
    if root := changes.get("root"):
        located["root"] = str(root.absolute())
    for name in ("data", "extra"):
        if (data := changes.get(name)) and data not in SETS and Path(data).exists():
            located[name] = str(Path(data).absolute())
    for name in ("teacher", "start_from"):
        if model := changes.get(name):
            located[name] = resolve_model(model)
    return located


def resolve_model(name: str) -> str:
    """A trained model's name that means the same model from any folder, and later: names of the catalogue, and whole
    paths for the rest. Raises ModelError where there is none."""
    shipped = load_catalogue().models
    members = [(member, weights_path(member)) for member in member_names(name)]
    return "+".join(member if member in shipped else str(path.absolute()) for member, path in members)


def _load_changes(load_options: LoadOptions | None) -> dict[str, Any]:
    """What is set in the options of how data are read, its table with a whole path."""
    changes = load_options.model_dump(exclude_unset=True, exclude_none=True) if load_options else {}
    if "subjects" in changes:
        changes["subjects"] = str(Path(changes["subjects"]).absolute())
    return changes


def _start_from_file(file: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that change where a run starts from the weights in a file."""
    entry = load_catalogue()[document["model"]]
    if entry.imagenet is None:
        raise UsageError(f"--pretrained-file: {document['model']} starts from scratch, as its paper did; leave it out")
    recipe = {**document["recipe"], "pretrained": "imagenet"}
    own = entry.recipes.get(document["recipe_name"])
    if document["recipe"]["pretrained"] == "none" and own is not None:
        recipe["frozen"] = own.frozen  # starting from scratch had taken it out
    return {"pretrained_file": str(file.absolute()), "recipe": recipe}


def describe_plan(config: RunConfig) -> str:
    """What is about to be trained on, and how, for people."""
    default = " (built-in drawn faces: name a real set with --data)" if config.data == "cartoon" else ""
    epochs = format_count(config.recipe.epochs, "epoch")
    return f"{config.data}{default}, recipe {config.recipe_name}, {epochs}"


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs as typed after --set; values are read as YAML. Raises UsageError for another form."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair}: write it as key=value, e.g. --set optimizer.lr=1e-3")
        try:
            settings[key.strip()] = parse_yaml(value)
        except ValueError as error:
            raise UsageError(f"--set {shorten(pair, 100)}: the value is not valid YAML") from error
    return settings


def flatten_settings(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings in nested blocks by dotted name, as nest_settings takes them."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        flat |= flatten_settings(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def nest_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe settings by dotted name as nested blocks, by their names of today: {'a.b': 1} to {'a': {'b': 1}}.

    Raises UsageError where a setting stands under an old and a new name.
    """
    blocks: dict[str, Any] = {}
    for name, value in settings.items():
        for key in reversed(name.split(".")):
            value = {key: value}
        blocks = merge_settings(blocks, value)
    try:
        return rename_settings(blocks)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None
