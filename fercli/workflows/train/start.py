"""The trained network that a training starts from, with `--start-from`."""

from typing import Any

import torch

from fercli.core.catalogue import ModelEntry
from fercli.core.errors import UsageError
from fercli.core.progress import Progress
from fercli.core.text import format_count, shorten
from fercli.models.catalogue import build, load_catalogue
from fercli.models.classifier import Classifier, logits
from fercli.models.load import load_model
from fercli.models.locate import member_names, weights_path
from fercli.models.start import take_weights
from fercli.models.weights import ONNX_SUFFIX, Header, read_header
from fercli.training.loop import Faces


def read_start(name: str) -> Header:
    """The header of what is started from, by its name as `load_model` takes it. Raises UsageError for an average of
    several or an ONNX file, ModelError where there is none."""
    if len(member_names(name)) > 1:
        raise UsageError(f"--start-from {name}: one network, not an average")
    path = weights_path(name)
    if path.suffix.lower() == ONNX_SUFFIX:
        raise UsageError(f"--start-from {name}: an exported network is not trained further; name what it was made of")
    return read_header(path)


def find_entry(header: Header, name: str) -> tuple[str, dict[str, Any]]:
    """The catalogue's name of the network in a header, and the arguments of its architecture that differ. Raises
    UsageError where the catalogue has none of that kind."""
    entry = load_catalogue().models.get(header.model)
    if (
        entry is None
        or entry.architecture != header.architecture
        or not entry.arguments.keys() <= set(header.arguments)
    ):
        raise UsageError(
            f"--start-from {name}: its network, {shorten(header.model, 60)}, is not in the catalogue: --catalogue FILE "
            "names the one that has it"
        )
    changed = {key: value for key, value in header.arguments.items() if entry.arguments.get(key) != value}
    return header.model, changed


def start_network(
    network: Classifier, entry: ModelEntry, name: str, classes: tuple[str, ...], val: Faces, progress: Progress
) -> None:
    """Give a network the weights of a trained one, and say what of its head is new, or else how well it does on the
    validation faces before any training: what comes of it may be worse."""
    model = load_model(name)
    with torch.device("meta"):
        sizes = [build(entry, count) for count in (len(classes), len(classes) + 1)]
    known = take_weights(network, model, classes, sizes)
    new = len(classes) - known
    if new:
        state = f"{new} of {len(classes)} classes are new to it"
    else:
        network.to(val.images.device)
        right = int((logits(network, val.images).argmax(1) == val.labels).sum())
        state = f"as it is, it is right on {right:,} of {format_count(len(val), 'validation face')}"
    progress.say(f"starting from {model.path}; {state}")


def record_start(name: str) -> dict[str, Any]:
    """What a run's weights say of their start: its name, and the trainings behind it."""
    header = read_start(name)
    return {"model": name, "trainings": header.trainings}
