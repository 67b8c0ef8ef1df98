"""The public Python names at work, as cases of the record: python -m benchmarks.behaviour.api NAME."""

import json
import sys
from typing import Any

import numpy as np
from PIL import Image

import fercli
from benchmarks.behaviour.views import digest

#: All of the catalogue but li-resnet101, which is li-resnet50 with more blocks.
NETWORKS = (
    "xu-rescnn",
    "bah-resnet",
    "bah-basic",
    "simple-cnn",
    "simpler-cnn",
    "mini-xception",
    "lenet",
    "li-resnet50",
    "chen-resnet-mlp",
    "preact-resnet10",
    "preact-resnet18",
)


def predict() -> Any:
    """A path, a folder, an array and a picture of Pillow's in one call; and one result as an object."""
    with Image.open("odd/palette.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
        items: list[Any] = ["photos/inner", pixels, picture, "odd/noise.jpg", pixels[..., 0]]
        results = list(fercli.predict(items, tta=False, min_confidence=0.5))
    return [[result.to_dict() for result in results], repr(results[0])]


def probabilities() -> Any:
    """The networks that ship, on noise."""
    faces = np.random.default_rng(0).integers(0, 256, (3, 1, 48, 48), np.uint8)
    models = {"default": fercli.load_model(), "mirrored": fercli.load_model("preact-resnet10", mirrored=True)}
    return {name: [model.classes, model.probabilities(faces).tolist()] for name, model in models.items()}


def read() -> Any:
    """What `predict` wrote, read back; and an error."""
    results = [result.to_dict() for result in fercli.read_predictions("old/faces.jsonl")]
    try:
        list(fercli.read_predictions("set/none.csv"))
    except fercli.FerError as error:
        return [results, type(error).__name__, str(error)]
    return results


def build() -> Any:
    """Every network as it is built: names, shapes and values of its tensors from a seed."""
    import torch

    described = {}
    for name in NETWORKS:
        torch.manual_seed(0)
        for key, tensor in fercli.build_model(name).state_dict().items():
            described[f"{name} {key}"] = f"{'×'.join(map(str, tensor.shape))} {digest(tensor.numpy().tobytes())}"
    return described


def faces() -> Any:
    """The drawn faces and a folder's."""
    sets = [fercli.load_faces(name) for name in ("cartoon", "set")]
    return [
        [one.name, one.classes, one.ids, digest(one.images.tobytes()), digest(one.labels.tobytes())] for one in sets
    ]


if __name__ == "__main__":
    calls = {call.__name__: call for call in (predict, probabilities, read, build, faces)}
    print(json.dumps(calls[sys.argv[1]](), indent=1, ensure_ascii=False))
