"""The parsed YAML of a catalogue, checked: shared recipes and spaces put in, every fault listed with its location."""

from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from fercli.core.catalogue import Catalogue
from fercli.core.errors import ModelError
from fercli.core.recipe import Recipe, merge_settings, rename_settings
from fercli.core.registry import suggest
from fercli.core.text import format_count, shorten


def parse_catalogue(document: object, source: str) -> Catalogue:
    """Check the parsed YAML of a catalogue. `source` names the file in the error.

    A recipe is written in full, or as the name of one under `recipes:`, or as `base:` (such a name) with the
    settings that differ. Raises ModelError listing every fault, one a line, each with its location in the file.
    """
    if not isinstance(document, Mapping):
        raise ModelError(f"{source} is not a catalogue: it must be a mapping with version, default and models")
    found: list[str] = []
    raw = {key: value for key, value in document.items() if key not in ("recipes", "spaces")}
    shared = _shared_recipes(document.get("recipes"), found)
    spaces = document.get("spaces")
    if "finetune" in shared:
        raw.setdefault("finetune", shared["finetune"])
    models = raw.get("models")
    if isinstance(models, Mapping):
        raw["models"] = {
            name: _with_spaces(name, _with_recipes(name, entry, shared, found), spaces, found)
            for name, entry in models.items()
        }
    try:
        catalogue = Catalogue.model_validate(raw)
    except ValidationError as error:
        found += _list_faults(error)
    if found:
        raise_faults(found, source)
    return catalogue


def _list_faults(error: ValidationError) -> list[str]:
    from fercli.core.schema_errors import list_faults  # where nothing is wrong, it is not needed

    return list_faults(error)


def raise_faults(found: list[str], source: str) -> NoReturn:
    """Raise a ModelError that lists faults of a catalogue, one a line."""
    lines = (shorten(fault, 300) for fault in found)
    raise ModelError("\n  ".join([f"{source} has {format_count(len(found), 'fault')}:", *lines]))


def _shared_recipes(recipes: object, found: list[str]) -> dict[str, Mapping[str, Any]]:
    """The recipes that entries may name, those without a fault."""
    if recipes is None:
        return {}
    if not isinstance(recipes, Mapping):
        found.append("recipes: must be a mapping of names to recipes")
        return {}
    good: dict[str, Mapping[str, Any]] = {}
    for name, recipe in recipes.items():
        try:
            Recipe.model_validate(recipe)
        except ValidationError as error:
            found += [f"recipes.{name}.{fault}" for fault in _list_faults(error)]
        else:
            good[name] = rename_settings(recipe)
    return good


def _with_recipes(name: str, entry: Any, shared: Mapping[str, Mapping[str, Any]], found: list[str]) -> Any:
    """The entry with its recipes' names and bases replaced by what they stand for."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("recipes"), Mapping):
        return entry
    resolved = {}
    for kind, recipe in entry["recipes"].items():
        own = {"base": recipe} if isinstance(recipe, str) else recipe
        if isinstance(own, Mapping) and "base" in own:
            base = str(own["base"])
            if base not in shared:
                hint = suggest(base, shared)
                found.append(f"models.{name}.recipes.{kind}: no shared recipe '{base}': {hint}")
                continue
            changes = {key: value for key, value in own.items() if key != "base"}
            try:
                own = merge_settings(shared[base], rename_settings(changes))
            except ValueError as error:
                found.append(f"models.{name}.recipes.{kind}: {error}")
                continue
        resolved[kind] = own
    return {**entry, "recipes": resolved}


def _with_spaces(name: str, entry: Any, shared: Any, found: list[str]) -> Any:
    """The entry with its spaces' names replaced by what they stand for."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("spaces"), Mapping):
        return entry
    known = shared if isinstance(shared, Mapping) else {}
    resolved = dict(entry["spaces"])
    for kind, space in entry["spaces"].items():
        if isinstance(space, str):
            if space not in known:
                found.append(f"models.{name}.spaces.{kind}: no shared space '{space}': {suggest(space, known)}")
            resolved[kind] = known.get(space, {})
    return {**entry, "spaces": resolved}
