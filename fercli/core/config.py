"""A run's settings, all of them resolved: what config.yaml holds."""

from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, ValidationError, model_validator

from fercli.core.errors import UsageError
from fercli.core.recipe import Recipe, Settings

#: The source of settings that were typed as flags, see `parse_config`.
COMMAND_LINE = "the command line"
#: What is said of an argument of the architecture that is as the catalogue has it.
_ABSENT = "as in the catalogue"
#: Settings, by dotted name, whose flag has another name.
_FLAGS = {
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "optimizer.lr": "--lr",
    "val_fraction": "--val-fraction",
    "baselines": "--baseline",
    "objectives": "--objective",
    "limits": "--limit",
}


class LoadOptions(Settings):
    """How a face set is read: `--labels`, `--keep-contempt`, `--subject-pattern`, `--subjects` and `--detect`."""

    #: FER2013's own labels, or those that the ten votes of FER+ give: by the majority of its authors, by the most votes
    #: there are, or with the fractions of the votes as targets; mixed are its own labels with targets that are half
    #: the label and half the votes
    labels: Literal["own", "ferplus", "ferplus-plurality", "ferplus-soft", "ferplus-mixed"] = "own"
    #: whether FER+'s eighth class stays
    keep_contempt: bool = False
    #: a regular expression that finds the subject in a face's id: its group, the one named 'subject' where several
    subject_pattern: str | None = None
    #: a csv file with the columns file, subject and label, the last two each optional
    subjects: str | None = None
    #: whether pictures are photographs in which MTCNN has to find the face first
    detect: bool = False


class RunConfig(Settings):
    """Everything that decides what a training does. The same one on the same machine repeats the run."""

    model: str
    #: what the model's architecture is built with, where that is not what the catalogue says
    arguments: dict[str, bool | int | float | str] = Field(default_factory=dict)
    data: str
    #: where named sets lie; none is FER_DATA or ./data
    root: str | None = None
    #: how the set is read; config.yaml calls it 'reading'
    load_options: LoadOptions = Field(default=LoadOptions(), alias="reading")
    #: everything random follows from it; torch takes seeds of 64 bits, and each epoch multiplies this one
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    #: what stays on one side of a split that is drawn here: a subject, or only an image
    group: Literal["auto", "subject", "image"] = "auto"
    #: whether training faces are left out whose picture stands in val or test too
    drop_leaks: bool = False
    #: a file of weights to start from, instead of torchvision's
    pretrained_file: str | None = None
    #: a trained model whose weights training starts from
    start_from: str | None = None
    #: another set, a name or a path, whose training split is trained on too
    extra: str | None = None
    #: a trained model, or several joined by '+', whose probabilities are learned beside the labels
    teacher: str | None = None
    recipe_name: str
    recipe: Recipe

    @model_validator(mode="after")
    def _check_teacher_and_extra(self) -> "RunConfig":
        if (
            self.teacher is None
            and self.recipe.distillation_weight != Recipe.model_fields["distillation_weight"].default
        ):
            raise ValueError("distillation_weight weighs a teacher, and there is none: name one with --teacher MODEL")
        if self.extra is None and self.recipe.max_extra_per_class is not None:
            raise ValueError("max_extra_per_class bounds an extra set, and there is none: name one with --extra SET")
        return self

    @model_validator(mode="after")
    def _check_start(self) -> "RunConfig":
        if self.recipe.pretrained == "start-from" and self.start_from is None:
            raise ValueError("the recipe starts from a trained network: name it with --start-from MODEL")
        return self

    def to_document(self) -> dict[str, Any]:
        """All settings by the names that they have in config.yaml, in the order of the schema."""
        return self.model_dump(mode="json", by_alias=True)

    def differences(self, other: "RunConfig") -> list[str]:
        """Each setting that differs, as 'name: here, there', by dotted name."""
        ours, theirs = (_flatten(config.model_dump(by_alias=True)) for config in (self, other))
        names = dict.fromkeys([*ours, *theirs])
        both = {name: (ours.get(name, _ABSENT), theirs.get(name, _ABSENT)) for name in names}
        return [f"{name}: {here}, {there}" for name, (here, there) in both.items() if here != there]


def _flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted name."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def parse_config(document: object, source: str) -> RunConfig:
    """A run's settings from plain values. Raises UsageError listing every fault.

    `source` is where they come from: a file, or COMMAND_LINE, whose faults are told by flag.
    """
    try:
        return RunConfig.model_validate(document)
    except ValidationError as error:
        raise_settings_error(error, source, RunConfig)


def raise_settings_error(error: ValidationError, source: str, model: type[Settings]) -> NoReturn:
    """Raise a UsageError that lists what is wrong with settings of `model` from `source`, as in `parse_config`."""
    from fercli.core.schema_errors import dotted_names, iterate_faults

    names = [name.removeprefix("recipe.") for name in dotted_names(model)]
    found = list(iterate_faults(error, names, "recipe."))
    if source == COMMAND_LINE:
        raise UsageError(_join([f"{_flag(name)}{meaning}" for name, meaning in found])) from error
    raise UsageError(f"{source}: {_join([f'{name}: {meaning}' if name else meaning for name, meaning in found])}")


def _join(faults: list[str]) -> str:
    """Faults in one line: those that find room in it, and how many more there are."""
    shown = [fault for index, fault in enumerate(faults) if sum(map(len, faults[: index + 1])) <= 350] or faults[:1]
    more = len(faults) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _flag(name: str) -> str:
    """The flag that sets what has this dotted name, with a colon; nothing for settings as a whole."""
    setting = name.removeprefix("models.0.").removeprefix("recipe.").removeprefix("reading.")
    if setting in ("", "recipe"):
        return ""
    if setting not in _FLAGS and ("recipe." in name or setting.startswith("arguments.")):
        return f"--set {setting}: "
    first = setting.partition(".")[0]
    return f"{_FLAGS.get(setting) or _FLAGS.get(first) or '--' + first.replace('_', '-')}: "
