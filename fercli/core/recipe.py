"""What a recipe holds: every setting of a training that is not the network or the data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def as_number(value: object) -> object:
    """PyYAML reads `1e-3` as text; take it for the number it is."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


#: Settings that were called otherwise in files made before, by their dotted names then.
RENAMED = {
    "average": "ema_decay",
    "stop_after": "early_stopping_patience",
    "teacher_share": "distillation_weight",
    "extra_most": "max_extra_per_class",
    "keep": "checkpoint_metric",
    "schedule.floor": "schedule.min_lr",
}
_RENAMED_METRICS = {"best-accuracy": "accuracy", "lowest-loss": "loss"}


def rename_settings(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A recipe's settings, or some of them, in nested blocks, with the names that they have today.

    Raises ValueError where a setting stands under both its names.
    """
    renamed: dict[str, Any] = {}
    for name, value in settings.items():
        dotted = f"{prefix}{name}"  # YAML makes numbers of some names
        today = RENAMED.get(dotted, dotted).removeprefix(prefix)
        if isinstance(value, Mapping):
            value = rename_settings(value, f"{dotted}.")
        elif dotted == "keep" and isinstance(value, str):
            value = _RENAMED_METRICS.get(value, value)
        if today in renamed or (today != name and today in settings):
            raise ValueError(f"'{dotted}' is called '{prefix}{today}' now: leave one of the two out")
        renamed[today] = value
    return renamed


Number = Annotated[float, BeforeValidator(as_number)]
Fraction = Annotated[float, BeforeValidator(as_number), Field(ge=0, lt=1)]
Positive = Annotated[float, BeforeValidator(as_number), Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
#: YAML makes numbers of the names of layers that stand in a row: 0, 1, 2
LayerName = Annotated[str, BeforeValidator(lambda name: str(name) if isinstance(name, int) else name)]


class Settings(BaseModel):
    """A block of settings: unknown names are refused, values do not change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Augmentation(Settings):
    """How far a face may be changed at random, each face by its own draws. All zero leaves it as it is."""

    flip: bool = False
    #: degrees, either way
    rotate: Annotated[Number, Field(ge=0, le=180)] = 0.0
    #: fraction of the side, either way
    shift: Fraction = 0.0
    #: 0.1 draws from 1/1.1 to 1.1
    zoom: Annotated[Number, Field(ge=0)] = 0.0
    #: probability with which each of rotation, shift and zoom is applied
    move_probability: Annotated[Number, Field(gt=0, le=1)] = 1.0
    #: fraction of the full range, either way
    brightness: Fraction = 0.0
    #: 0.2 draws from 0.8 to 1.2
    contrast: Fraction = 0.0
    #: probability of losing one rectangle
    erase: Annotated[Number, Field(ge=0, le=1)] = 0.0
    #: standard deviation of a Gaussian blur in pixels, and of noise as a fraction of the full range: the
    #: largest that is drawn, small ones more often than large ones
    blur: Annotated[Number, Field(ge=0, le=6)] = 0.0
    noise: Fraction = 0.0

    @property
    def moves(self) -> bool:
        """Whether pixels are moved."""
        return self.flip or self.rotate > 0 or self.shift > 0 or self.zoom > 0


class Optimizer(Settings):
    """The optimiser by its usual name, and its rate. What is left out keeps PyTorch's default."""

    name: Literal["sgd", "adam", "adamw", "nadam", "rmsprop"]
    lr: Positive
    weight_decay: Annotated[Number, Field(ge=0)] = 0.0
    #: SGD and RMSprop alone
    momentum: Fraction = 0.0
    nesterov: bool = False
    #: Adam, AdamW and NAdam alone
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: Positive = 1e-8

    @model_validator(mode="after")
    def _check_nesterov(self) -> "Optimizer":
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum, e.g. 0.9")
        return self


class Schedule(Settings):
    """How the learning rate moves. `plateau` reacts to validation accuracy after each epoch, the others
    move with every step."""

    name: Literal["constant", "plateau", "cosine", "one-cycle"] = "constant"
    #: plateau: epochs without a better accuracy before the rate falls, by `factor`, not below `min_lr`
    patience: Count = 10
    factor: Annotated[Number, Field(gt=0, lt=1)] = 0.1
    min_lr: Annotated[Number, Field(ge=0)] = 0.0
    #: cosine and one-cycle: fraction of all steps in which the rate rises
    warmup: Fraction = 0.0


class Recipe(Settings):
    """How to train a network. Source of each `paper` recipe: the paper its model names."""

    #: what the paper does not say, or why this choice
    note: str = ""
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Optimizer
    schedule: Schedule = Schedule()
    augment: Augmentation = Augmentation()
    #: where the weights start from: drawn at random, the ImageNet weights that the model's entry names, or the trained
    #: network that --start-from names
    pretrained: Literal["none", "imagenet", "start-from"] = "none"
    #: layers, by their names in the network, that keep the weights and the norm statistics they start with
    frozen: tuple[LayerName, ...] = ()
    #: batch norm keeps the statistics it starts with in all layers; its scales and offsets are trained
    freeze_batchnorm: bool = False
    #: where several processes train, batch norm sees the whole batch, not the share of each
    synchronise_batchnorm: bool = True
    #: each class weighs N / (classes · its count)
    class_weights: bool = False
    label_smoothing: Fraction = 0.0
    #: alpha of the beta distribution that blends pairs of faces; 0 is off
    mixup: Annotated[Number, Field(ge=0)] = 0.0
    #: weight of a teacher's probabilities in the targets, where there is a teacher; the labels have the rest
    distillation_weight: Annotated[Number, Field(gt=0, le=1)] = 0.5
    #: the most faces of each class that are taken from an extra set, where there is one; none takes all
    max_extra_per_class: Count | None = None
    #: decay per step of the exponential moving average of the weights that is validated and kept; 0 is off
    ema_decay: Fraction = 0.0
    #: epochs without a better validation before training ends; none trains to the end
    early_stopping_patience: Count | None = None
    #: which epoch's weights are kept: that of the best validation accuracy, of the lowest validation loss, or the last
    checkpoint_metric: Literal["accuracy", "loss", "last"] = "accuracy"
    #: fraction of the training split that validates, where the set's own validation split is not to be used
    val_fraction: Annotated[Number, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, settings: Any) -> Any:
        return rename_settings(settings) if isinstance(settings, Mapping) else settings

    @model_validator(mode="after")
    def _check_frozen(self) -> "Recipe":
        if self.frozen and self.pretrained == "none":
            raise ValueError(
                "layers drawn at random must not be frozen: start from trained weights, as --start-from MODEL does, or "
                "leave frozen out"
            )
        if self.freeze_batchnorm and self.pretrained == "none":
            raise ValueError(
                "a network that starts at random has no statistics to keep: start from trained weights, as "
                "--start-from MODEL does, or leave freeze_batchnorm out"
            )
        return self


def merge_settings(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` over it, block by block."""
    both = dict(base)
    for key, value in changes.items():
        inner = both.get(key)
        both[key] = merge_settings(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return both
