"""The example that labels photographs without PyTorch, OpenCV or this program, beside `fer predict`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from fercli.faces.io.sources import find_sources
from fercli.faces.mtcnn.detector import Detector
from fercli.models.load import load_model
from fercli.workflows.export.detector import DETECTOR_FILES
from fercli.workflows.export.run import export
from fercli.workflows.predict.pipeline import predict_sources

EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_only" / "label_photo.py"

#: Runs a script in a process that cannot import what the example does without.
PROGRAM = """
import runpy, sys
for name in ("torch", "torchvision", "facenet_pytorch", "cv2", "fercli"):
    sys.modules[name] = None
sys.argv.pop(0)
sys.path.insert(0, __import__("os").path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of three faces of different sizes, one turned on its side, so that EXIF has to be read."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as portrait:
        canvas = Image.new("RGB", (1300, 620), (90, 90, 90))
        for left, scale in ((0, 0.35), (300, 0.9), (900, 0.13)):
            small = portrait.resize((round(portrait.width * scale), round(portrait.height * scale)))
            canvas.paste(small, (left, 0))
    path = tmp_path_factory.mktemp("photo") / "three.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    canvas.transpose(Image.Transpose.ROTATE_90).save(path, quality=95, exif=exif)
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped network as an ONNX file, the detector's three beside it."""
    folder = tmp_path_factory.mktemp("models")
    done = export("xu-rescnn", "onnx", folder / "net.onnx", with_detector=True, seconds=0)
    assert [path.name for path in done.detector] == list(DETECTOR_FILES)
    assert {path.name for path in folder.iterdir()} == {"net.onnx", "net.onnx.json", *DETECTOR_FILES}
    return done.path


def run_example(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(EXAMPLE), *map(str, words)]
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, env=surroundings, capture_output=True, text=True)


def test_what_is_missing_or_damaged_is_one_line_and_the_others_go_on(photo, exported, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(photo.read_bytes()[:5000])
    done = run_example("--model", exported, tmp_path / "none.jpg", tmp_path / "broken.jpg", photo)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 3)
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        str(tmp_path / "none.jpg"),
        str(tmp_path / "broken.jpg"),
    ]
    alone = tmp_path / "net.onnx"
    alone.write_bytes(b"")
    done = run_example("--model", alone, photo)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no such file: {tmp_path / 'pnet.onnx'}, ")
    assert len(done.stderr.splitlines()) == 1


def test_the_example_labels_a_photo_like_fer_predict_in_a_process_without_torch(photo, exported):
    done = run_example("--model", exported, photo)
    assert done.returncode == 0, done.stderr
    found = [line.split(": ")[2].split() for line in done.stdout.splitlines()]
    (wanted,) = predict_sources(find_sources([photo]), load_model("xu-rescnn", mirrored=True), Detector())
    assert len(wanted.faces) == 3
    assert [label for label, _ in found] == [face.label for face in wanted.faces]
    # faces are cut with other roundings of single gray values
    confidences = [float(confidence) for _, confidence in found]
    np.testing.assert_allclose(confidences, [face.confidence for face in wanted.faces], atol=0.03)


def test_the_detector_s_files_take_any_number_and_the_first_any_size(exported):
    for name, shapes in (
        ("pnet", [(1, 3, 12, 12), (2, 3, 75, 41)]),
        ("rnet", [(5, 3, 24, 24)]),
        ("onet", [(1, 3, 48, 48)]),
    ):
        session = onnxruntime.InferenceSession(exported.with_name(f"{name}.onnx"))
        for shape in shapes:
            assert len(session.run(None, {"pixels": np.zeros(shape, np.float32)})[0]) == shape[0]
    assert (
        "thresholds"
        in onnxruntime.InferenceSession(exported.with_name("pnet.onnx")).get_modelmeta().custom_metadata_map["detector"]
    )
