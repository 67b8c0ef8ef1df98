"""One training from its settings on: data and network set up, fitted, and handed to fercli.workflows.training_end."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import DataError, RunError, UsageError
from fercli.core.files import file_digest, write_json
from fercli.core.progress import Listener, Steps, unheard
from fercli.data.faceset import FaceSet
from fercli.data.ferplus import earlier_reading
from fercli.data.leaks import DROPPED, leak_note, without_leaks
from fercli.data.sets import load_faces
from fercli.data.splits import split, write_split
from fercli.models.catalogue import build, load_catalogue
from fercli.models.classifier import Classifier
from fercli.models.pretrained import load_imagenet
from fercli.training.compiling import should_compile
from fercli.training.device import describe, pick_device, repeatable, resolve_precision
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState
from fercli.training.teaching import Teacher
from fercli.workflows.extra import joined, load_extra
from fercli.workflows.provenance import command_line, git_commit, versions
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.teacher import load_teacher, teacher_note, teacher_record
from fercli.workflows.training_end import finish
from fercli.workflows.training_result import TrainResult

#: The share of the time that checkpoints may take. A large network on a fast device trains an epoch sooner than its
#: checkpoint is written.
_SAVING = 0.05


def faces_of(config: RunConfig, steps: Steps = unheard) -> FaceSet:
    """The face set that a run's settings name. Raises DataError where there is none."""
    return load_faces(config.data, Path(config.root) if config.root else None, config.reading, steps)


class TrainingJob:
    """Data, network and state of one training, set up from its settings; `prepare` sets up the next one."""

    def __init__(
        self,
        config: RunConfig,
        listener: Listener,
        *,
        fresh: bool = True,
        faces: FaceSet | None = None,
        parts: NDArray[np.str_] | None = None,
        temperature: Mapping[str, float] | None = None,
    ) -> None:
        """`fresh` is False where a checkpoint is about to replace the weights that training starts from.

        `faces` are the set that the settings name, where it is loaded already; `parts` [N] the part of each face,
        where it is not for the settings to draw them. `temperature`, by views, is given where no face validates:
        the figures on validation are then those on the training faces.
        """
        self.config, self.listener = config, listener
        self.device = pick_device(config.device)
        self.entry = load_catalogue()[config.model]
        self.precision = resolve_precision(config.precision, self.device, self.entry.bf16_on_cpu)
        self.faces = faces_of(config, listener.loading) if faces is None else faces
        for note in self.faces.notes if faces is None else ():
            listener.say(note)
        self.temperature = temperature
        self.extra = load_extra(config, self.faces.classes, listener.loading)
        self.draw(self._split() if parts is None else parts)
        self.teacher = self._teacher()
        self.network = self._network(fresh)
        self.state = TrainingState(self.network, config.recipe, len(self.train), len(self.faces.classes))

    def prepare(
        self,
        config: RunConfig,
        parts: NDArray[np.str_],
        *,
        fresh: bool = True,
        temperature: Mapping[str, float] | None = None,
    ) -> None:
        """Set up another training of the same model on the same faces, as if none had been before it.

        The network, and what it was compiled to, is used again; the weights that it starts from are drawn anew.
        """
        self.config, compiled, self.temperature = config, self.state.compiled, temperature
        self.draw(parts)
        self.network.load_state_dict(self._network(fresh).state_dict())
        self.network.zero_grad(set_to_none=True)
        self.state = TrainingState(self.network, config.recipe, len(self.train), len(self.faces.classes))
        self.state.compiled = compiled

    def _network(self, fresh: bool) -> Classifier:
        """The network at its start: drawn at random, or from the weights that the recipe names."""
        repeatable(self.config.seed)
        network = build(self.entry, len(self.faces.classes))
        config, imagenet = self.config, self.entry.imagenet
        if config.recipe.pretrained == "imagenet" and imagenet is None:
            raise UsageError(f"recipe.pretrained: {config.model} has no ImageNet weights to start from; leave it out")
        if config.recipe.pretrained == "imagenet" and imagenet and fresh:
            self.listener.say(f"starting from {config.pretrained_file or imagenet}")
            load_imagenet(network.body, imagenet, Path(config.pretrained_file) if config.pretrained_file else None)
        if remark := self.entry.remark(config.recipe):
            self.listener.say(f"note: {remark}")
        return network.to(self.device)

    def _teacher(self) -> Teacher | None:
        """Whom the network learns from, and a word where that may flatter."""
        if self.config.teacher is None:
            return None
        teacher, model = load_teacher(self.config.teacher, self.faces.classes, self.device, self.config.precision)
        self.listener.say(f"learning from {model.path} too, with a share of {self.config.recipe.teacher_share:g}")
        if note := teacher_note(model, self.faces, self.parts):
            self.listener.say(f"note: {note}")
        return teacher

    def _split(self) -> NDArray[np.str_]:
        """The split that the settings draw, and a word on pictures that stand on both sides of it."""
        config, faces = self.config, self.faces
        parts = split(faces, config.seed, group=config.group, val_fraction=config.recipe.val_fraction)
        if config.drop_leaks:
            parts = without_leaks(faces, parts)
            dropped = int((parts == DROPPED).sum())
            self.listener.say(f"left {dropped:,} faces out of training whose picture stands in val or test too")
        for note in filter(None, (leak_note(faces, parts, part) for part in ("val", "test"))):
            self.listener.say(f"note: {note}")
        return parts

    def draw(self, parts: NDArray[np.str_]) -> None:
        """Take this part of each face [N]. Raises DataError where there is too little to train with."""
        self.parts = parts
        self.train = self._part("train")
        if self.extra is not None:
            kept = self.extra.kept(self.faces, parts)
            self.listener.say(f"training on {len(kept):,} faces of {kept.name} too")
            self.train = joined(self.train, kept)
        self.val = self._part("val") if self.temperature is None else self.train

    def start(self, folder: RunFolder, record: Mapping[str, object] | None = None) -> None:
        """Write what is known before the first epoch, and `record` with it."""
        write_split(folder.split, self.faces, self.parts)
        write_json(folder.meta, {**self.meta(), **(record or {})})

    def check_same(self, meta: dict[str, Any], folder: RunFolder) -> None:
        """Raise RunError where data, kind of device, precision or teacher are others than at the run's beginning."""
        here = self.meta()
        for what, begun, now in (
            ("data", meta["data"]["fingerprint"][:12], self.faces.fingerprint[:12]),
            ("device", meta["device"].partition(",")[0], here["device"].partition(",")[0]),
            ("precision", meta["precision"], self.precision),
            ("extra set", _short(meta.get("extra")), _short(here["extra"])),
            ("teacher", meta.get("teacher") or "none", here["teacher"] or "none"),
        ):
            if begun != now:
                earlier = earlier_reading(self.faces, "its config.yaml") if what == "data" else ""
                raise RunError(
                    f"{folder.path} was begun with another {what} ({begun}, now {now}): start a new run{earlier}"
                )

    def _part(self, part: str) -> Faces:
        """A part's faces on the device. Raises DataError where it has none."""
        places = np.flatnonzero(self.parts == part)
        if len(places) < 2:
            raise DataError(f"{self.config.data} leaves {len(places)} faces for the {part} part: too few to train with")
        images = torch.from_numpy(self.faces.images[places])
        labels = torch.from_numpy(self.faces.labels[places])
        targets = None if self.faces.targets is None else torch.from_numpy(self.faces.targets[places]).to(self.device)
        return Faces(images.to(self.device), labels.to(self.device), targets)

    def meta(self) -> dict[str, Any]:
        """Where the run comes from."""
        parts, counts = np.unique(self.parts, return_counts=True)
        return {
            "command": command_line(),
            "commit": git_commit(),
            "versions": versions(),
            "device": describe(self.device),
            "precision": self.precision,
            "data": {
                "name": self.faces.name,
                "fingerprint": self.faces.fingerprint,
                "faces": dict(zip(parts.tolist(), counts.tolist(), strict=True)),
            },
            "pretrained": self._pretrained(),
            "extra": self.extra.record if self.extra else None,
            "teacher": teacher_record(self.config.teacher) if self.config.teacher else None,
        }

    def _pretrained(self) -> str:
        """Where the weights start from: 'none', torchvision's name, or a file's name and digest."""
        config = self.config
        if config.recipe.pretrained == "none":
            return "none"
        file = Path(config.pretrained_file) if config.pretrained_file else None
        if file is None:
            return str(self.entry.imagenet)
        return f"{file.name}, sha256 {file_digest(file)}" if file.is_file() else file.name

    def run(self, folder: RunFolder) -> TrainResult:
        """Train to the end, writing the folder after each epoch, then measure what came out."""
        self.listener.begun(folder.path)
        recipe, compiling = self.config.recipe, self.config.compile
        worth_it = should_compile(len(self.train), recipe.epochs, self.device)
        epochs = fit(
            self.state, self.train, self.val,
            seed=self.config.seed,
            precision=self.precision,
            compile_network=compiling == "on" or (compiling == "auto" and worth_it),
            listener=self.listener,
            teacher=self.teacher,
        )  # fmt: skip
        saved, cost = 0.0, 0.0
        for _ in epochs:
            # the checkpoint first: a kill between the two costs nothing, since the history is in it
            if (start := time.perf_counter()) - saved >= cost / _SAVING:
                self.state.save(folder.checkpoint)
                saved = time.perf_counter()
                cost = saved - start
            folder.write_history(self.state.history)
        return finish(self, folder)


def _short(extra: Mapping[str, Any] | None) -> str:
    """An extra set's fingerprint for people; 'none' where there is no such set."""
    return extra["fingerprint"][:12] if extra else "none"
