"""The catalogue, checked against the architectures that there are, and networks built from its entries by name."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, ValidationError, create_model

from fercli.core.catalogue import Catalogue, ModelEntry
from fercli.core.catalogue_document import raise_faults
from fercli.core.errors import UsageError, reason_of
from fercli.core.registry import suggest
from fercli.core.space import parse_space
from fercli.core.text import shorten
from fercli.models.architectures import load_architectures
from fercli.models.catalogue_file import catalogue_path, file_version, read_catalogue
from fercli.models.classifier import Classifier


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read and check a catalogue. Raises ModelError with every fault and its location."""
    source = path or catalogue_path()
    return _load(source, file_version(source))


@lru_cache(maxsize=4)
def _load(source: Path, version: tuple[int, int] | None) -> Catalogue:
    catalogue = read_catalogue(source)
    if found := _unbuildable(catalogue):
        raise_faults(found, str(source))
    return catalogue


def _unbuildable(catalogue: Catalogue) -> list[str]:
    """Entries that name no architecture, or give it arguments that it does not take, or have a space with a fault."""
    architectures, found = load_architectures(), []
    for name, entry in catalogue.models.items():
        if entry.architecture not in architectures:
            found.append(f"models.{name}.architecture: no '{entry.architecture}', there is {', '.join(architectures)}")
            continue
        try:
            inspect.signature(architectures[entry.architecture]).bind(classes=1, **entry.arguments)
        except TypeError as error:
            found.append(f"models.{name}.arguments: {error}")
        for kind, space in entry.spaces.items():
            try:
                parse_space(space)
            except ValueError as error:
                found.append(f"models.{name}.spaces.{kind}: {error}")
    return found


def configured_entry(name: str, arguments: Mapping[str, bool | int | float | str]) -> ModelEntry:
    """The catalogue's entry of that name, some of its architecture's arguments changed.

    Raises ModelError, with the nearest names, where there is none of that name, and UsageError where the architecture
    does not take the arguments, or makes no network of them.
    """
    entry = load_catalogue()[name].with_arguments(arguments)
    if arguments:
        _check_arguments(name, entry, arguments)
    return entry


def list_arguments(entry: ModelEntry) -> dict[str, bool | int | float | str]:
    """Every argument of an entry's architecture, by name: the entry's own, else the default."""
    found = _list_parameters(entry)
    return {each.name: each.default for each in found if each.default is not each.empty} | entry.arguments


def _list_parameters(entry: ModelEntry) -> list[inspect.Parameter]:
    """What an entry's architecture takes beside the number of classes."""
    return list(inspect.signature(load_architectures()[entry.architecture]).parameters.values())[1:]


def _check_arguments(name: str, entry: ModelEntry, changed: Iterable[str]) -> None:
    """Raise UsageError, listing every fault, where an entry's arguments make no network."""
    parameters = _list_parameters(entry)
    known = [parameter.name for parameter in parameters]
    if unknown := [argument for argument in changed if argument not in known]:
        hint = suggest(unknown[0], known) if known else "it takes none"
        raise UsageError(f"arguments.{shorten(unknown[0], 60)}: {name} has no such argument: {hint}")
    fields: dict[str, Any] = {parameter.name: (parameter.annotation, ...) for parameter in parameters}
    needed = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    fields = {argument: kind for argument, kind in fields.items() if argument in needed | set(entry.arguments)}
    try:
        create_model("Arguments", __config__=ConfigDict(strict=True), **fields).model_validate(entry.arguments)
        with torch.device("meta"):
            build(entry)
    except ValidationError as error:
        raise UsageError("; ".join(f"arguments.{fault}" for fault in _list_faults(error))) from error
    except (ValueError, ArithmeticError, RuntimeError, TypeError) as error:
        raise UsageError(f"arguments: {name} cannot be built so: {reason_of(error)}") from error


def _list_faults(error: ValidationError) -> list[str]:
    from fercli.core.schema_errors import list_faults  # where nothing is wrong, it is not needed

    return list_faults(error)


@dataclass(frozen=True)
class Cost:
    """What a network costs: parameters that are trained, and multiplications with an addition for one face, in
    convolutions and dense layers."""

    parameters: int
    multiply_adds: int


def measure_cost(entry: ModelEntry, classes: int | None = None) -> Cost:
    """The cost of an entry's network, counted without making its weights."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = build(entry, classes).eval()
        network(torch.zeros(1, 1, 48, 48))
    return Cost(sum(value.numel() for value in network.parameters()), counter.get_total_flops() // 2)


def build(entry: ModelEntry, classes: int | None = None) -> Classifier:
    """A freshly initialised network from a catalogue entry, on the CPU.

    `classes` overrides the number of classes, for data with other classes than the entry's.
    Chance comes from torch's global generator: seed it for a repeatable start.
    """
    architecture = load_architectures()[entry.architecture]
    body = architecture(classes=classes or len(entry.classes), **entry.arguments)
    return Classifier(body, entry.input.scaling)


def build_model(name: str, classes: int | None = None) -> Classifier:
    """A freshly initialised network by its catalogue name: gray faces [N, 1, 48, 48] of 0 to 255 to logits.

    Raises ModelError, with the nearest names, where the catalogue has none of that name.
    """
    return build(load_catalogue()[name], classes)
