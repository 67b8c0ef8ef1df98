"""Exported networks in other programs' runtimes, beside fer's own engine: the figures of docs/deploy.md.

`make` writes a folder with what is compared: the exported files, faces as PNG files, and the probabilities of fer's
own engine (ONNX Runtime, a single view). Each other word runs one runtime on the same faces and prints a line of the
table: the largest difference of a probability, and how many faces get another label. Only `make` needs fercli, so a
runtime that does not go with PyTorch can have an environment of its own.

usage: python -m benchmarks.deployed make FOLDER [--model xu-rescnn] [--data fer2013] [--root DIR] [--faces 500]
       python -m benchmarks.deployed onnxruntime|pt2|openvino|litert FOLDER [--file FILE]
"""

import argparse
import json
import os
import runpy
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OPENVINO_TELEMETRY_DISABLED", "1")

import numpy as np
from PIL import Image

#: Calibrated probabilities [N, classes] of gray faces [N, 48, 48] uint8.
Classifier = Callable[[np.ndarray], np.ndarray]

EXAMPLE = Path(__file__).parents[1] / "examples" / "onnx_python.py"
#: Where `make` writes the faces and the probabilities to compare with.
REFERENCE = "reference.npz"


def make(folder: Path, model: str, data: str, root: Path | None, count: int) -> None:
    """Export a network, and write faces of val at even distances with what fer's own engine makes of them."""
    from fercli.models.load import load_model
    from fercli.models.onnx_model import load_onnx_model
    from fercli.workflows.export.run import export
    from fercli.workflows.export.verify import export_faces

    folder.mkdir(parents=True)
    measured = export_faces(load_model(model), data, root).measured
    chosen = np.linspace(0, len(measured) - 1, min(count, len(measured))).astype(int)
    images = measured.images[chosen]
    engine = load_onnx_model(model)
    assert engine is not None, f"{model} does not ship"
    np.savez(folder / REFERENCE, faces=images[:, 0], probabilities=engine.probabilities(images))
    (folder / "faces").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[0]).save(folder / "faces" / f"{number:03}.png")
    export(model, "onnx", folder / "model.onnx", seconds=0)
    export(model, "pt2", folder / "model.pt2", seconds=0)
    export(model, "onnx-int8", folder / "model-int8.onnx", data=data, root=root, seconds=0)
    (folder / "about.json").write_text(json.dumps({"model": model, "data": data, "faces": len(chosen)}))


def load_onnxruntime(path: Path) -> Classifier:
    """The example's own classifier."""
    example = runpy.run_path(str(EXAMPLE))
    classify: Classifier = example["Classifier"](path).probabilities
    return classify


def load_pt2(path: Path) -> Classifier:
    """PyTorch, from the archive of torch.export."""
    import torch

    module = torch.export.load(path).module()

    def run(faces: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            probabilities: np.ndarray = module(torch.from_numpy(faces[:, None]))[1].numpy()
        return probabilities

    return run


def load_openvino(path: Path) -> Classifier:
    """OpenVINO on the CPU, from the ONNX file. A processor with bf16 would round to it if it were not told."""
    import openvino

    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda faces: np.asarray(compiled({"faces": faces[:, None]})["probabilities"])


def load_litert(path: Path) -> Classifier:
    """LiteRT, once TensorFlow Lite, from what onnx2tf makes: a face at a time, channels last."""
    from ai_edge_litert.interpreter import Interpreter

    run_signature = Interpreter(model_path=str(path)).get_signature_runner()

    def run(faces: np.ndarray) -> np.ndarray:
        return np.concatenate([run_signature(faces=face[None, :, :, None])["probabilities"] for face in faces])

    return run


RUNTIMES: dict[str, tuple[Callable[[Path], Classifier], str, str]] = {
    "onnxruntime": (load_onnxruntime, "model.onnx", "onnxruntime"),
    "pt2": (load_pt2, "model.pt2", "torch"),
    "openvino": (load_openvino, "model.onnx", "openvino"),
    "litert": (load_litert, "litert/model_float32.tflite", "ai-edge-litert"),
}


def read_faces(folder: Path) -> np.ndarray:
    """The faces [N, 48, 48] uint8, from their PNG files, as the example reads them."""
    read: Callable[[Path], np.ndarray] = runpy.run_path(str(EXAMPLE))["read_face"]
    return np.stack([read(path) for path in sorted((folder / "faces").glob("*.png"))])


def row(folder: Path, runtime: str, file: str, probabilities: np.ndarray) -> str:
    """A line of the table: a runtime's probabilities beside fer's own."""
    about = json.loads((folder / "about.json").read_text())
    wanted = np.load(folder / REFERENCE)["probabilities"]
    assert probabilities.shape == wanted.shape
    assert np.isfinite(probabilities).all()
    differing = int((probabilities.argmax(1) != wanted.argmax(1)).sum())
    difference = np.abs(probabilities - wanted).max()
    cells = [about["model"], runtime, f"`{file}`", f"{difference:.0e}", f"{differing} of {len(wanted)}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", *RUNTIMES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--data", default="fer2013")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--file", help="another file in the folder than the runtime's own")
    options = parser.parse_args()
    if options.what == "make":
        make(options.folder, options.model, options.data, options.root, options.faces)
        return
    load, file, package = RUNTIMES[options.what]
    file = options.file or file
    faces, classify = read_faces(options.folder), load(options.folder / file)
    print(row(options.folder, f"{package} {version(package)}", file, classify(faces)))


if __name__ == "__main__":
    main()
