"""The schema of models.yaml: what the catalogue and each of its entries say."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator

from fercli.core.errors import ModelError
from fercli.core.labels import EXPRESSIONS
from fercli.core.licence import Licence
from fercli.core.recipe import Count, Number, Positive, Recipe, Settings
from fercli.core.registry import suggest

Percent = Annotated[Number, Field(ge=0, le=100)]


#: How pixels of 0 to 255 are scaled inside the network: 'unit' divides by 255; 'imagenet' then repeats the channel
#: three times, takes ImageNet's means away and divides by its deviations.
Scaling = Literal["unit", "imagenet"]

#: Said beside every figure of a network that its paper starts from ImageNet weights and that was trained without.
WITHOUT_IMAGENET = "without ImageNet weights, not the paper's set-up"


class Input(Settings):
    """What the network takes: gray faces of this side, pixels of 0 to 255, scaled inside."""

    size: Literal[48] = 48
    channels: Literal[1] = 1
    scaling: Scaling = "unit"


class Parameters(Settings):
    """Counts that a test holds against the built network. `total` includes running statistics."""

    trainable: Count
    total: Count


class Source(Settings):
    """The publication a network comes from."""

    cite: str
    doi: str = ""


class ClassClaim(Settings):
    """A class' figures as the paper states them, in percent."""

    precision: Percent | None = None
    recall: Percent | None = None
    f1: Percent | None = None


class Claim(Settings):
    """A figure that the paper states, in percent, and where it gives them the figures of each class.

    `sd` is the sample standard deviation over ten runs.
    """

    data: str
    measure: Literal["accuracy", "element-wise accuracy"] = "accuracy"
    accuracy: Percent
    sd: Percent | None = None
    per_class: dict[str, ClassClaim] = Field(default_factory=dict)
    note: str = ""


class Result(Settings):
    """A figure that was measured here, by the command beside it. Accuracy in percent."""

    data: str
    split: str
    views: Literal["single", "single + mirrored"]
    accuracy: Percent
    epochs: Count
    #: what the network was trained from
    pretrained: Literal["none", "imagenet"] = "none"
    command: str
    note: str = ""


class ModelEntry(Settings):
    """One named model: architecture, arguments, input, classes, recipes, weights, origin and results."""

    summary: str
    architecture: str
    arguments: dict[str, bool | int | float | str] = Field(default_factory=dict)
    input: Input = Input()
    classes: tuple[str, ...] = EXPRESSIONS
    parameters: Parameters
    #: multiplications with an addition that one face costs in convolutions and dense layers
    multiply_adds: Count
    #: whether it trains faster in bf16 on a CPU that multiplies in it (benchmarks/training.py)
    bf16_on_cpu: bool = False
    #: torchvision's name for the ImageNet weights that recipes may start from
    imagenet: str | None = None
    source: Source
    #: what the paper leaves open or contradicts, and how it was decided
    note: str = ""
    claims: tuple[Claim, ...] = ()
    results: tuple[Result, ...] = ()
    #: file name in fercli/weights, where weights ship
    weights: str | None = None
    #: on what terms those weights may be used; None in catalogues made before it was stated
    licence: Licence | None = None
    recipes: dict[str, Recipe]
    #: what `fer search` chooses from, by name: see fercli.core.space; checked where networks are built
    spaces: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_its_recipes(self) -> "ModelEntry":
        needed = {"best", "paper"} if self.claims else {"best"}
        if missing := needed.difference(self.recipes):
            raise ValueError(f"lacks the recipe {' and '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def _can_start_as_its_recipes_do(self) -> "ModelEntry":
        asking = [name for name, recipe in self.recipes.items() if recipe.pretrained == "imagenet"]
        if asking and self.imagenet is None:
            raise ValueError(f"the recipe {asking[0]} starts from ImageNet weights, and `imagenet` names none")
        return self

    @model_validator(mode="after")
    def _licenses_what_ships(self) -> "ModelEntry":
        if self.licence and not self.weights:
            raise ValueError("has a licence of weights, and no weights ship")
        return self

    def remark(self, made: Recipe | Result) -> str:
        """What must be said beside figures that this recipe gives, or beside this result, if anything."""
        paper = self.recipes.get("paper")
        transfers = paper is not None and paper.pretrained == "imagenet"
        return WITHOUT_IMAGENET if transfers and made.pretrained != "imagenet" else ""

    def with_arguments(self, arguments: Mapping[str, bool | int | float | str]) -> "ModelEntry":
        """The entry with some of its architecture's arguments changed. Its counts and claims stay those of the network
        in the catalogue."""
        return self.model_copy(update={"arguments": {**self.arguments, **arguments}}) if arguments else self

    @property
    def size(self) -> int:
        """Bytes of the weights in float32; their file has some kilobytes of header beside them."""
        return 4 * self.parameters.total


class Temperature(Settings):
    """What logits are divided by: those of one view, and the mean of a face's and its mirror image's."""

    single: Positive
    mirrored: Positive


class EnsembleEntry(Settings):
    """An ensemble of networks that ship, with the temperature that `command` fitted to it on a split of a set."""

    models: Annotated[tuple[str, ...], Field(min_length=2)]
    temperature: Temperature
    data: str
    split: str
    command: str


class DetectorEntry(Settings):
    """The network that finds faces: where it comes from, and on what terms. It is not trained here."""

    name: str
    summary: str
    source: Source
    #: the folder in fercli/weights
    weights: str
    licence: Licence
    note: str = ""


class Catalogue(Settings):
    """models.yaml as a whole."""

    version: Literal[1]
    #: the model that is trained where none is named
    default: str
    #: the model whose weights are used where none is named; `default` in catalogues that do not say
    default_weights: str = ""
    models: dict[str, ModelEntry]
    #: the recipe for a network that starts from a trained one, whichever it is
    finetune: Recipe | None = None
    detector: DetectorEntry | None = None
    ensembles: tuple[EnsembleEntry, ...] = Field(default=(), validation_alias=AliasChoices("ensembles", "averages"))

    @model_validator(mode="after")
    def _defaults_exist(self) -> "Catalogue":
        for name in (self.default, self.default_weights or self.default):
            if name not in self.models:
                raise ValueError(f"the default '{name}' is not among the models")
        if self.default_weights and not self.models[self.default_weights].weights:
            raise ValueError(f"default_weights: no weights ship for '{self.default_weights}'")
        if self.detector and self.detector.name in self.models:
            raise ValueError(f"the detector is called '{self.detector.name}', as one of the models is")
        return self

    @property
    def shipped(self) -> str:
        """The model whose weights are used where none is named."""
        return self.default_weights or self.default

    @model_validator(mode="after")
    def _ensembles_are_of_what_ships(self) -> "Catalogue":
        for entry in self.ensembles:
            for name in entry.models:
                if name not in self.models or self.models[name].weights is None:
                    raise ValueError(f"an ensemble names '{name}', of which no weights ship")
        if len({tuple(sorted(entry.models)) for entry in self.ensembles}) < len(self.ensembles):
            raise ValueError("an ensemble stands twice")
        return self

    def ensemble(self, names: Sequence[str]) -> EnsembleEntry | None:
        """What is known of the ensemble of these models, in whatever order."""
        return next((entry for entry in self.ensembles if sorted(entry.models) == sorted(names)), None)

    def __getitem__(self, name: str) -> ModelEntry:
        """The entry of that name. Raises ModelError, with the nearest names, where there is none."""
        if name not in self.models:
            raise ModelError(f"no model '{name}': {suggest(name, self.models)} ('fer models' lists them)")
        return self.models[name]

    def recipe(self, model: str, name: str) -> Recipe:
        """A model's recipe by name. Raises ModelError where there is none."""
        recipes = dict(self[model].recipes)
        if self.finetune:
            recipes.setdefault("finetune", self.finetune)
        if name not in recipes:
            raise ModelError(f"{model} has no recipe '{name}': {suggest(name, recipes)}")
        return recipes[name]
