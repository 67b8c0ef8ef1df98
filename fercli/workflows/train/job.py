"""One training set up from its settings, and what its folder says of where it comes from. `run` trains it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fercli.core.catalogue import ModelEntry
from fercli.core.config import RunConfig
from fercli.core.errors import RunError, UsageError
from fercli.core.files import damage_in, file_digest, read_json, write_json
from fercli.core.progress import SILENT, EpochRow, Progress
from fercli.core.text import shorten
from fercli.data.faceset import FaceSet
from fercli.data.loaders.ferplus import hint_at_earlier_labels
from fercli.data.splits import write_split
from fercli.models.catalogue import build, configured_entry, load_catalogue
from fercli.models.classifier import Classifier
from fercli.models.pretrained import load_imagenet
from fercli.training.device import Precision, describe, resolve_precision, seed_everything, should_compile
from fercli.training.distillation import Teacher
from fercli.training.distributed import ALONE, Ranks, synchronise_norms
from fercli.training.loop import fit
from fercli.training.state import TrainingState
from fercli.workflows.run_folder import RunFolder, command_line, git_commit, versions
from fercli.workflows.train.data import Extra, TrainingData
from fercli.workflows.train.start import record_start, start_network
from fercli.workflows.train.teacher import load_teacher, teacher_note, teacher_record


@dataclass(frozen=True)
class TrainingJob:
    """One training, ready to run. `temperature`, by views, is given where no face validates: the figures on validation
    are then those on the training faces."""

    config: RunConfig
    entry: ModelEntry
    data: TrainingData
    precision: Precision
    network: Classifier
    state: TrainingState
    teacher: Teacher | None
    temperature: Mapping[str, float] | None
    ranks: Ranks = ALONE


def set_up_job(
    config: RunConfig,
    data: TrainingData,
    progress: Progress,
    *,
    fresh: bool = True,
    temperature: Mapping[str, float] | None = None,
    previous: TrainingJob | None = None,
    ranks: Ranks = ALONE,
) -> TrainingJob:
    """Build the network, at its start, and what trains it.

    `fresh` is False where a checkpoint is about to replace the weights that training starts from. A `previous` job of
    the same model, which ends here, hands its network on, and what it was compiled to and its teacher: the training is
    as if none had been before it.

    Raises UsageError where the `ranks` cannot have equal shares of a batch.
    """
    _check_shares(config, ranks)
    entry, classes = configured_entry(config.model, config.arguments), data.faces.classes
    teacher = previous.teacher if previous else _load_teacher(config, data, progress)
    network = _build_network(config, entry, data, fresh, progress)
    if previous is not None:
        previous.network.load_state_dict(network.state_dict())
        previous.network.zero_grad(set_to_none=True)
        network = previous.network
    network.label_smoothing = config.recipe.label_smoothing
    if ranks.size > 1 and config.recipe.synchronise_batchnorm:
        synchronise_norms(network)
    state = TrainingState(network, config.recipe, len(data.train), len(classes), ranks.size)
    if previous is not None:
        state.compiled = previous.state.compiled
    precision = _resolve_precision(config, data.device)
    return TrainingJob(config, entry, data, precision, network, state, teacher, temperature, ranks)


def fit_job(job: TrainingJob, progress: Progress = SILENT) -> Iterator[EpochRow]:
    """Train, yielding after each epoch. What several processes train is compiled only where that is asked for: their
    norms wait for one another, which a compiled network cannot."""
    recipe, compiling, faces = job.config.recipe, job.config.compile, job.data.train
    worth_it = job.ranks.size == 1 and should_compile(len(faces), recipe.epochs, job.data.device)
    return fit(
        job.state, faces, job.data.val,
        seed=job.config.seed,
        precision=job.precision,
        compile_network=compiling == "on" or (compiling == "auto" and worth_it),
        progress=progress,
        teacher=job.teacher,
        ranks=job.ranks,
    )  # fmt: skip


def _check_shares(config: RunConfig, ranks: Ranks) -> None:
    size, count = config.recipe.batch_size, ranks.size
    if size % count:
        lower, upper = max(1, size // count) * count, (size // count + 1) * count
        raise UsageError(
            f"{count} processes cannot share batches of {size} faces equally: take --batch-size "
            f"{f'{lower} or ' if lower < size else ''}{upper}"
        )


def _resolve_precision(config: RunConfig, device: torch.device) -> Precision:
    return resolve_precision(config.precision, device, load_catalogue()[config.model].bf16_on_cpu)


def _build_network(
    config: RunConfig, entry: ModelEntry, data: TrainingData, fresh: bool, progress: Progress
) -> Classifier:
    """The network at its start: drawn at random, or from the weights that the recipe names."""
    seed_everything(config.seed)
    network = build(entry, len(data.faces.classes))
    if config.recipe.pretrained == "imagenet" and entry.imagenet is None:
        raise UsageError(f"recipe.pretrained: {config.model} has no ImageNet weights to start from; leave it out")
    if config.recipe.pretrained == "imagenet" and entry.imagenet and fresh:
        progress.say(f"starting from {config.pretrained_file or entry.imagenet}")
        load_imagenet(network.body, entry.imagenet, Path(config.pretrained_file) if config.pretrained_file else None)
    if config.start_from and fresh:
        start_network(network, entry, config.start_from, data.faces.classes, data.val, progress)
    if remark := entry.remark(config.recipe):
        progress.say(f"note: {remark}")
    return network.to(data.device)


def _load_teacher(config: RunConfig, data: TrainingData, progress: Progress) -> Teacher | None:
    """The network that is learned from, and a note where that may make figures too high."""
    if config.teacher is None:
        return None
    teacher, model = load_teacher(config.teacher, data.faces.classes, data.device, config.precision)
    progress.say(f"learning from {model.path} too, with a weight of {config.recipe.distillation_weight:g}")
    if note := teacher_note(model, data.faces, data.splits):
        progress.say(f"note: {note}")
    return teacher


def describe_origin(
    config: RunConfig, faces: FaceSet, extra: Extra | None, device: torch.device, ranks: Ranks = ALONE
) -> dict[str, Any]:
    """Where a run comes from: what meta.json holds."""
    return {
        "command": command_line(),
        "commit": git_commit(),
        "versions": versions(),
        "device": describe(device),
        **({"processes": ranks.size} if ranks.size > 1 else {}),
        "precision": _resolve_precision(config, device),
        "data": {"name": faces.name, "fingerprint": faces.fingerprint},
        "pretrained": _describe_start(config),
        "extra": extra.record if extra else None,
        "teacher": teacher_record(config.teacher) if config.teacher else None,
        "start": record_start(config.start_from) if config.start_from else None,
    }


def _describe_start(config: RunConfig) -> str:
    """Where the weights start from: 'none', torchvision's name, or a file's name and digest. A trained network has a
    record of its own."""
    if config.recipe.pretrained != "imagenet":
        return "none"
    if config.pretrained_file is None:
        return str(load_catalogue()[config.model].imagenet)
    file = Path(config.pretrained_file)
    return f"{file.name}, sha256 {file_digest(file)}" if file.is_file() else file.name


def write_start(
    folder: RunFolder,
    config: RunConfig,
    data: TrainingData,
    record: Mapping[str, object] | None = None,
    ranks: Ranks = ALONE,
) -> None:
    """Write what is known before the first epoch, and `record` with it."""
    origin = describe_origin(config, data.faces, data.extra, data.device, ranks)
    write_split(folder.split, data.faces, data.splits)
    write_json(folder.meta, {**_count_splits(origin, data.splits), **(record or {})})


def note_precision(folder: RunFolder, now: str, progress: Progress) -> None:
    """Say where a run goes on in another precision than it was in."""
    meta = read_json(folder.meta)
    with damage_in(folder.meta):
        before = (meta.get("resumed") or [meta])[-1]["precision"]
    if before != now:
        progress.say(f"note: from here in {now}, which is faster on this machine; it was {before} until now")


def write_resumption(folder: RunFolder, origin: Mapping[str, Any], splits: NDArray[np.str_]) -> None:
    """Add to meta.json where a run is resumed."""
    meta = read_json(folder.meta)
    with damage_in(folder.meta):
        resumed = [*meta.get("resumed", []), _count_splits(origin, splits)]
    write_json(folder.meta, {**meta, "resumed": resumed})


def _count_splits(origin: Mapping[str, Any], splits: NDArray[np.str_]) -> dict[str, Any]:
    """The origin with the number of faces in each split."""
    names, counts = np.unique(splits, return_counts=True)
    return {**origin, "data": {**origin["data"], "faces": dict(zip(names.tolist(), counts.tolist(), strict=True))}}


def check_origin(folder: RunFolder, origin: Mapping[str, Any], faces: FaceSet) -> None:
    """Raise RunError where the run in a folder was begun with other data, another kind of device or another teacher
    than there are now.

    Its precision may be another one: 'auto' follows the machine, and the weights are the same in both.
    """
    meta = read_json(folder.meta)
    with damage_in(folder.meta):
        begun = _list_origin(meta)
        for needed in ("command", "commit", "pretrained", "precision"):  # at the run's end
            meta[needed]
    for (what, before), now in zip(begun.items(), _list_origin(origin).values(), strict=True):
        if before != now:
            hint = hint_at_earlier_labels(faces, "its config.yaml") if what == "data" else ""
            shown = shorten(str(before), 100)
            raise RunError(f"{folder.path} was begun with another {what} ({shown}, now {now}): start a new run{hint}")


def _list_origin(meta: Mapping[str, Any]) -> dict[str, str]:
    """What must be the same where a run is resumed, by what it is called."""
    return {
        "data": meta["data"]["fingerprint"][:12],
        "device": meta["device"].partition(",")[0],
        "extra set": _shorten(meta.get("extra")),
        "teacher": meta.get("teacher") or "none",
    }


def _shorten(extra: Mapping[str, Any] | None) -> str:
    """An extra set's fingerprint for people; 'none' where there is no such set."""
    return extra["fingerprint"][:12] if extra else "none"
