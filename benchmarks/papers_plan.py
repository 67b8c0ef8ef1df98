"""What is trained to hold the papers' claims against, and what cannot be."""

from dataclasses import dataclass, field, replace

from fercli.core.catalogue import Claim
from fercli.models.catalogue import load_catalogue


@dataclass(frozen=True)
class Row:
    """One training of a network, on several seeds: a row of the page.

    `name` is unique and names its run folders. `options` are settings of `fer train` beside model, data, recipe and
    seed. `claimed_on` is how many faces the paper measured its figure on; `split` is the split measured here.
    """

    name: str
    model: str
    data: str
    split: str
    claimed_on: int
    seeds: int = 1
    recipe: str = "paper"
    options: tuple[str, ...] = ()
    #: what is changed against the recipe, for a row of the second table
    reading: str = ""
    note: str = ""

    @property
    def claim(self) -> Claim:
        """What the paper says of this network on this set."""
        return next(claim for claim in load_catalogue()[self.model].claims if claim.data == self.data)

    def arguments(self, seed: int) -> list[str]:
        """What `fer train` is given."""
        first = ["--model", self.model, "--data", self.data, "--recipe", self.recipe]
        return [*first, *self.options, "--seed", str(seed)]


def _fer2013(model: str, seeds: int, note: str = "") -> Row:
    return Row(model, model, "fer2013", "val", 3589, seeds, note=note)


def _reading(base: Row, name: str, reading: str, *changes: str) -> Row:
    """A row that changes the paper recipe of another one."""
    options = tuple(word for change in changes for word in ("--set", change))
    return replace(base, name=name, seeds=1, options=options, reading=reading)


_XU, _XU_54895 = _fer2013("xu-rescnn", 3), _fer2013("xu-rescnn-54895", 3)
_BAH = Row("bah-resnet", "bah-resnet", "fergit", "test", 2465, 3)

#: A row a claim, in the order in which they are trained.
CLAIMS = (
    _XU,
    _XU_54895,
    _fer2013("mini-xception", 3),
    _fer2013("lenet", 3, "another network than the paper's, which has ten times the parameters and is not specified"),
    _fer2013("simple-cnn", 1),
    _fer2013("simpler-cnn", 1),
    _BAH,
    Row("bah-basic", "bah-basic", "fergit", "test", 2465),
)

#: What a paper leaves open, by the name of its table on the page: the recipe `paper` first, then one change a row.
READINGS = {
    "xu-readings": (
        _XU,
        replace(_XU_54895, reading="the network `xu-rescnn-54895`"),
        _reading(_XU, "xu-lr-3e-3", "Adam at 3e-3", "optimizer.lr=3e-3"),
        _reading(_XU, "xu-lr-1e-2", "Adam at 0.01", "optimizer.lr=1e-2"),
        _reading(
            _XU, "xu-plateau", "rate × 0.1 after 10 epochs without a better validation accuracy",
            "schedule.name=plateau",
        ),
        _reading(_XU, "xu-cosine", "rate falls along a cosine to zero", "schedule.name=cosine"),
        _reading(_XU, "xu-batch-32", "batch 32", "batch_size=32"),
        _reading(_XU, "xu-batch-128", "batch 128", "batch_size=128"),
        _reading(_XU, "xu-rmsprop", "RMSprop at 1e-3", "optimizer.name=rmsprop"),
        _reading(
            _XU, "xu-sgd", "SGD at 0.01 with momentum 0.9",
            "optimizer.name=sgd", "optimizer.lr=1e-2", "optimizer.momentum=0.9",
        ),
    ),
    "bah-readings": (
        _BAH,
        _reading(_BAH, "bah-unweighted", "no class weights", "class_weights=false"),
        _reading(
            _BAH, "bah-flips", "no class weights, and of the augmentation only the flips", "class_weights=false",
            "augment.rotate=0", "augment.shift=0", "augment.zoom=0", "augment.brightness=0",
        ),
    ),
}  # fmt: skip

#: Everything that is trained, each once.
_NAMES = {row.name for row in CLAIMS}
ROWS = (*CLAIMS, *(row for rows in READINGS.values() for row in rows if row.name not in _NAMES))


@dataclass(frozen=True)
class Missing:
    """A claim that cannot be held against anything here, and why."""

    network: str
    claim: str
    why: str = field(default="")


CANNOT = (
    Missing("`bah-resnet` on CK+", "97 %", "the set is given out on request only, and is not at hand here"),
    Missing("`li-resnet50`", "95.39 ± 1.41 %", "the 700 photographs (Lu 2016) are private"),
    Missing("`li-resnet101`", "96.29 ± 0.78 %", "the 700 photographs (Lu 2016) are private"),
    Missing(
        "`chen-resnet-mlp`", "85.71 %",
        "no top-1 accuracy: 6/7 = 85.714… % is the element-wise accuracy of a network that never passes 0.5",
    ),
)  # fmt: skip
