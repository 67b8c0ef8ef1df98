"""The catalogue, checked against the architectures that there are, and networks built from its entries by name."""

import inspect
from pathlib import Path

from fercli.core.catalogue import Catalogue, ModelEntry, raise_faults
from fercli.models.architectures import load_architectures
from fercli.models.catalogue_file import catalogue_path, read_catalogue
from fercli.models.classifier import Classifier


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read and check a catalogue. Raises ModelError with every fault and its location."""
    source = path or catalogue_path()
    catalogue = read_catalogue(source)
    if found := _unbuildable(catalogue):
        raise_faults(found, str(source))
    return catalogue


def _unbuildable(catalogue: Catalogue) -> list[str]:
    """Entries that name no architecture, or give it arguments that it does not take."""
    architectures, found = load_architectures(), []
    for name, entry in catalogue.models.items():
        if entry.architecture not in architectures:
            found.append(f"models.{name}.architecture: no '{entry.architecture}', there is {', '.join(architectures)}")
            continue
        try:
            inspect.signature(architectures[entry.architecture]).bind(classes=1, **entry.arguments)
        except TypeError as error:
            found.append(f"models.{name}.arguments: {error}")
    return found


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
