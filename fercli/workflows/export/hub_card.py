"""The README.md of a hub folder: the front matter that hubs read, and what its reader should know."""

from collections.abc import Iterator
from typing import Any

import yaml

from fercli.core.labels import EXPRESSIONS
from fercli.core.licence import Licence
from fercli.core.text import to_printable
from fercli.data.load import SETS
from fercli.metrics.scores import wilson
from fercli.models.weights import Header

_VIEWS = {"single": "single view", "mirrored": "mean of a face and its mirror image"}
_TAGS = ("facial-expression-recognition", "emotion-recognition", "onnx", "safetensors")

_USE = """## Use
With fercli, where `FOLDER` is this folder:
```
fer predict --model FOLDER photo.jpg
```
With ONNX Runtime alone:
```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
logits, probabilities = session.run(["logits", "probabilities"], {"faces": faces})
```
`faces` are gray faces [N, 1, 48, 48] with values of 0 to 255, cropped as `config.json` says. Scaling, temperature and
softmax are inside the graph."""

_LIMITS = """## Limits
It reads the expression that a face shows in one picture, in the words of those who labelled the data. It does not know
what anyone feels, thinks or intends. It is not for decisions about people, nor for surveillance."""


def write_card(header: Header, licence: Licence | None, parameters: int) -> str:
    """The card of a network with as many parameters, in Markdown. `licence` is None where it is not ours to state."""
    front = yaml.safe_dump(_front_matter(header, licence), sort_keys=False, allow_unicode=True)
    classes = ", ".join(map(_plain, header.classes))
    what = "Facial expression recognition" if set(header.classes) <= set(EXPRESSIONS) else "Face classification"
    lines = [
        f"---\n{front}---",
        f"# {_plain(header.model)}",
        f"{what}: a gray face of 48×48 pixels in, one calibrated probability for each class out. "
        f"Classes: {classes}. {parameters:,} parameters.",
        "",
        _USE,
        "",
        *_figures(header),
        *_training(header),
        _LIMITS,
        "",
        *_licence(header, licence),
        "",
    ]
    return "\n".join(lines)


def _front_matter(header: Header, licence: Licence | None) -> dict[str, Any]:
    """What hubs read: https://huggingface.co/docs/hub/model-cards lists the keys."""
    front: dict[str, Any] = {
        "license": licence.name.lower() if licence else "unknown",
        "library_name": "fercli",
        "pipeline_tag": "image-classification",
        "tags": [*_TAGS, _plain(header.architecture)],
        "metrics": ["accuracy"],
    }
    data = _plain((header.data_sets or ("unknown",))[0])
    results = [
        {
            "task": {"type": "image-classification"},
            "dataset": {"name": data, "type": data, "split": split},
            "metrics": [{"type": "accuracy", "value": round(value, 4), "name": f"accuracy, {_VIEWS[views]}"}],
        }
        for split, views, value in _accuracies(header)
    ]
    return front | ({"model-index": [{"name": _plain(header.model), "results": results}]} if results else {})


def _accuracies(header: Header) -> Iterator[tuple[str, str, float]]:
    """Split, views and accuracy, 0 to 1, that the header records. What a stranger's holds instead is left out."""
    for split, figures in header.metrics.items():
        for views, value in figures.items() if isinstance(figures, dict) else ():
            if views in _VIEWS and isinstance(value, float) and 0 <= value <= 1:
                yield _plain(str(split)), views, value


def _figures(header: Header) -> Iterator[str]:
    """A table of what was measured when the network was trained."""
    rows = list(_accuracies(header))
    if not rows:
        return
    data = " and ".join(map(_plain, header.data_sets[:1])) or "unknown data"
    yield "## Figures"
    yield "As measured after the training. `val` also chose the epoch and the temperature, so its figures are too high."
    yield ""
    yield "| data | split | faces | views | accuracy | 95 % |"
    yield "|---|---|---|---|---|---|"
    for split, views, value in rows:
        faces, interval = _faces_behind(header, split, value)
        yield f"| {data} | {split} | {faces} | {_VIEWS[views]} | {100 * value:.2f} % | {interval} |"
    yield ""


def _faces_behind(header: Header, split: str, accuracy: float) -> tuple[str, str]:
    """How many faces an accuracy is of, and its 95 % interval in percent; '–' in weights made before that was kept."""
    counts = header.training.get("faces")
    faces = counts.get(split) if isinstance(counts, dict) else None
    if not isinstance(faces, int) or faces < 1:
        return "–", "–"
    low, high = wilson(round(accuracy * faces), faces)
    return f"{faces:,}", f"{100 * low:.1f} to {100 * high:.1f}"


def _training(header: Header) -> Iterator[str]:
    """The command and the sets, with the terms of those that are known."""
    command = header.training.get("command")
    if not command and not header.data_sets:
        return
    yield "## Training"
    if command:
        yield f"```\n{_plain(str(command)).replace('`', '')}\n```"
    start = header.training.get("start")
    if isinstance(start, dict):
        yield f"It started from the network {_plain(str(start.get('model')))}, whose training data are listed here too."
        yield ""
    for name in header.data_sets:
        known = SETS.get(name)
        yield f"- `{_plain(name)}`: {known.summary}. Terms: {known.terms}." if known else f"- `{_plain(name)}`"
    yield ""


def _licence(header: Header, licence: Licence | None) -> Iterator[str]:
    yield "## Licence"
    if licence is None:
        yield "Not stated. Those who trained the network state it here, and as `license` at the top of this file."
    else:
        yield f"{licence.statement}."
    if any(name in SETS for name in header.data_sets):
        yield "The terms of the data stand under Training."


def _plain(text: str) -> str:
    """A name from a file as Markdown takes it in a line or a cell of a table."""
    return to_printable(text).replace("|", "/")
