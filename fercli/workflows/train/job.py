"""One training set up from its settings: data, network and state. fercli.workflows.train.run trains it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import RunError, UsageError
from fercli.core.files import file_digest, write_json
from fercli.core.progress import Listener
from fercli.data.faceset import FaceSet
from fercli.data.loaders.ferplus import hint_at_earlier_labels
from fercli.data.splits import write_split
from fercli.models.catalogue import build, load_catalogue
from fercli.models.classifier import Classifier
from fercli.models.pretrained import load_imagenet
from fercli.training.device import describe, pick_device, resolve_precision, seed_everything
from fercli.training.distillation import Teacher
from fercli.training.state import TrainingState
from fercli.workflows.run_folder import RunFolder, command_line, git_commit, versions
from fercli.workflows.train.data import TrainingData
from fercli.workflows.train.teacher import load_teacher, teacher_note, teacher_record


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

        `faces` and `parts` as for TrainingData. `temperature`, by views, is given where no face validates: the figures
        on validation are then those on the training faces.
        """
        self.config, self.listener = config, listener
        self.device = pick_device(config.device)
        self.entry = load_catalogue()[config.model]
        self.precision = resolve_precision(config.precision, self.device, self.entry.bf16_on_cpu)
        self.temperature = temperature
        self.data = TrainingData(config, self.device, listener, faces, parts, validates=temperature is None)
        self.teacher = self._load_teacher()
        self.network = self._build_network(fresh)
        self.state = self._new_state()

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
        self.data.use_split(parts, validates=temperature is None)
        self.network.load_state_dict(self._build_network(fresh).state_dict())
        self.network.zero_grad(set_to_none=True)
        self.state = self._new_state()
        self.state.compiled = compiled

    def _new_state(self) -> TrainingState:
        return TrainingState(self.network, self.config.recipe, len(self.data.train), len(self.data.faces.classes))

    def _build_network(self, fresh: bool) -> Classifier:
        """The network at its start: drawn at random, or from the weights that the recipe names."""
        seed_everything(self.config.seed)
        network = build(self.entry, len(self.data.faces.classes))
        config, imagenet = self.config, self.entry.imagenet
        if config.recipe.pretrained == "imagenet" and imagenet is None:
            raise UsageError(f"recipe.pretrained: {config.model} has no ImageNet weights to start from; leave it out")
        if config.recipe.pretrained == "imagenet" and imagenet and fresh:
            self.listener.say(f"starting from {config.pretrained_file or imagenet}")
            load_imagenet(network.body, imagenet, Path(config.pretrained_file) if config.pretrained_file else None)
        if remark := self.entry.remark(config.recipe):
            self.listener.say(f"note: {remark}")
        return network.to(self.device)

    def _load_teacher(self) -> Teacher | None:
        """The network that is learned from, and a note where that may make figures too high."""
        if self.config.teacher is None:
            return None
        classes = self.data.faces.classes
        teacher, model = load_teacher(self.config.teacher, classes, self.device, self.config.precision)
        weight = self.config.recipe.distillation_weight
        self.listener.say(f"learning from {model.path} too, with a weight of {weight:g}")
        if note := teacher_note(model, self.data.faces, self.data.parts):
            self.listener.say(f"note: {note}")
        return teacher

    def write_start(self, folder: RunFolder, record: Mapping[str, object] | None = None) -> None:
        """Write what is known before the first epoch, and `record` with it."""
        write_split(folder.split, self.data.faces, self.data.parts)
        write_json(folder.meta, {**self.meta(), **(record or {})})

    def check_same(self, meta: dict[str, Any], folder: RunFolder) -> None:
        """Raise RunError where data, kind of device, precision or teacher are others than at the run's beginning."""
        here = self.meta()
        for what, begun, now in (
            ("data", meta["data"]["fingerprint"][:12], self.data.faces.fingerprint[:12]),
            ("device", meta["device"].partition(",")[0], here["device"].partition(",")[0]),
            ("precision", meta["precision"], self.precision),
            ("extra set", _short(meta.get("extra")), _short(here["extra"])),
            ("teacher", meta.get("teacher") or "none", here["teacher"] or "none"),
        ):
            if begun != now:
                earlier = hint_at_earlier_labels(self.data.faces, "its config.yaml") if what == "data" else ""
                raise RunError(
                    f"{folder.path} was begun with another {what} ({begun}, now {now}): start a new run{earlier}"
                )

    def meta(self) -> dict[str, Any]:
        """Where the run comes from."""
        parts, counts = np.unique(self.data.parts, return_counts=True)
        extra = self.data.extra
        return {
            "command": command_line(),
            "commit": git_commit(),
            "versions": versions(),
            "device": describe(self.device),
            "precision": self.precision,
            "data": {
                "name": self.data.faces.name,
                "fingerprint": self.data.faces.fingerprint,
                "faces": dict(zip(parts.tolist(), counts.tolist(), strict=True)),
            },
            "pretrained": self._pretrained(),
            "extra": extra.record if extra else None,
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


def _short(extra: Mapping[str, Any] | None) -> str:
    """An extra set's fingerprint for people; 'none' where there is no such set."""
    return extra["fingerprint"][:12] if extra else "none"
