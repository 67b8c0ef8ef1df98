"""The example that classifies face crops without PyTorch, OpenCV or this program, beside `fer predict`."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from fercli.data.cartoon import cartoon
from fercli.workflows.export.run import export
from fercli.workflows.predict.api import predict

EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_python.py"

#: Runs a script in a process that cannot import what the example does without.
PROGRAM = """
import runpy, sys
for name in ("torch", "torchvision", "facenet_pytorch", "cv2", "fercli"):
    sys.modules[name] = None
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn faces as pictures: as they are, larger, smaller and not square, in colour, transparent, and turned."""
    folder = tmp_path_factory.mktemp("crops")
    faces = [Image.fromarray(face[0]) for face in cartoon(subjects=1).images]
    colour = Image.merge("RGB", [faces[2].resize((131, 90)), *[faces[3].resize((131, 90))] * 2])
    clear = faces[4].resize((60, 60)).convert("RGBA")
    clear.putalpha(faces[5].resize((60, 60)))
    turned = Image.Exif()
    turned[0x0112] = 6
    pictures = {
        "plain": faces[0], "large": faces[1].resize((213, 213)), "small": faces[1].resize((30, 41)),
        "colour": colour, "clear": clear, "palette": faces[6].convert("P"),
    }  # fmt: skip
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    colour.save(folder / "turned.jpg", exif=turned)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export("xu-rescnn", "onnx", tmp_path_factory.mktemp("model") / "net.onnx", seconds=0).path


def run_example(model: Path, *words: object) -> list[str]:
    """The lines that the example prints, in a process without PyTorch."""
    command = [sys.executable, "-c", PROGRAM, str(EXAMPLE), "--model", str(model), *map(str, words)]
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_classifies_crops_like_fer_predict(crops, exported):
    rows = [json.loads(line) for line in run_example(exported, *crops, "--json")]
    results = predict(crops, model="xu-rescnn", faces_are_cropped=True, tta=False)
    for row, result in zip(rows, results, strict=True):
        (face,) = result.faces
        assert row["label"] == face.label
        assert list(row["probabilities"]) == list(face.probabilities)
        np.testing.assert_allclose(list(row["probabilities"].values()), list(face.probabilities.values()), atol=1e-5)


def test_a_file_that_takes_floats_gives_the_same(crops, exported, tmp_path):
    # --input-dtype float32 changes the type of the input alone
    model = onnx.load(exported)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(model, tmp_path / "float.onnx")
    assert run_example(tmp_path / "float.onnx", crops[0]) == run_example(exported, crops[0])


def test_the_temperature_in_the_metadata_is_that_of_the_probabilities(exported):
    example = runpy.run_path(str(EXAMPLE))
    classifier = example["Classifier"](exported)
    faces = cartoon(subjects=1).images
    (logits,) = classifier.session.run(["logits"], {"faces": faces})
    powers = np.exp(logits / classifier.temperature)
    wanted = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(faces[:, 0]), wanted, atol=1e-5)
