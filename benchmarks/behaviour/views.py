"""A file as text that can be compared: pixels and tensors as digests, what rightly varies taken out.

Every view is a text of a line a thing, so that a difference says where it is.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DURATION = r"\d+(?:\.\d+)? (?:s|min|h)(?: \d+ min)?"
#: What differs from run to run though the program does the same, and what stands for it.
VARYING = tuple(
    (re.compile(pattern, re.MULTILINE), instead)
    for pattern, instead in (
        # json
        (r'"(seconds|commit)": ("[^"]*"|[\d.e+-]+|null)', r'"\1": <\1>'),
        (r'"(versions)": \{[^{}]*\}', r'"\1": <\1>'),
        (r'"(milliseconds)": \{(?:[^{}]|\{[^{}]*\})*\}', r'"\1": <\1>'),
        (r'("(?:fercli|version)": )"[^"]*"', r"\1<version>"),
        # text
        (r"^version: .*$", "version: <version>"),
        (r"\bfercli \d+\.\d+\.\d+\S*", "fercli <version>"),
        (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?( ?[+-]\d\d:?\d\d|Z)?", "<time>"),
        (r"\b\d{8}-\d{6}(?=_)", "<time>"),
        (rf"^(epoch +\d+ .*?) +{_DURATION}", r"\1  <seconds>"),
        (rf", in {_DURATION} *$", ", in <seconds>"),
        (rf", {_DURATION} left$", ""),
        (r" +[\d.,]+ ms\b", "  <milliseconds>"),
        # progress, of which there is more on a slow machine
        (rf"^about {_DURATION} to go\n", ""),
        (r"^[a-z ]+: [\d,]+ of [\d,]+\n", ""),
    )
)


def normalise(text: str, folders: Mapping[str, str]) -> str:
    """The text without what varies; `folders` has the names that stand for folders of this machine."""
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, folders[folder])
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    if "<milliseconds>" in text and "{" not in text:  # a table, whose columns are as wide as the times in it
        text = re.sub(r"(?<=\S) {2,}", "  ", text)
    return re.sub(r"(data:[\w/+.-]+;base64,)([A-Za-z0-9+/=]+)", _embedded, text)


def _embedded(match: re.Match[str]) -> str:
    try:
        return f"{match[1]}<{digest(base64.b64decode(match[2], validate=True))}>"
    except binascii.Error:
        return match[0]


def digest(data: bytes) -> str:
    """The beginning of the SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def view(path: Path) -> str:
    """What a file says, before `normalise`. Never raises: what cannot be read says so."""
    try:
        return "".join(f"{line}\n" for line in _VIEWS.get(path.suffix.lower(), _text)(path))
    except Exception as error:  # a damaged file is a finding as any other
        return f"cannot be read: {type(error).__name__}: {error}\n"


def _text(path: Path) -> Iterator[str]:
    """Lines as they are but for the column of seconds in a history; of what is no text a digest."""
    data = path.read_bytes()
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        yield f"{len(data)} bytes {digest(data)}"
        return
    timed = path.name == "history.csv" and lines[0].endswith(",seconds")
    yield from (line.rpartition(",")[0] if timed and line else line for line in lines)


def _array(values: NDArray[Any]) -> str:
    return f"{values.dtype} {'×'.join(map(str, values.shape))} {digest(np.ascontiguousarray(values).tobytes())}"


def _image(path: Path) -> Iterator[str]:
    from PIL import Image

    with Image.open(path) as image:
        yield f"{image.format} {image.mode} {_array(np.asarray(image))}"


def _video(path: Path) -> Iterator[str]:
    import cv2

    capture, number = cv2.VideoCapture(str(path)), 0
    yield f"{capture.get(cv2.CAP_PROP_FPS):g} frames a second"
    while (read := capture.read())[0]:
        yield f"frame {number}: {_array(read[1])}"
        number += 1
    capture.release()


def _metadata(metadata: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(metadata.items()):
        document = text[:1] in "{["
        yield f"{name}: {json.dumps(json.loads(text), indent=1, ensure_ascii=False) if document else text}"


def _tensors(path: Path) -> Iterator[str]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        yield from _metadata(file.metadata() or {})
        for name in sorted(file.keys()):
            yield f"{name}: {_array(file.get_tensor(name))}"


def _network(path: Path) -> Iterator[str]:
    """Metadata, and what it gives for two inputs of noise from a seed."""
    import onnx
    import onnxruntime

    model = onnx.load(path)
    yield from _metadata({prop.key: prop.value for prop in model.metadata_props})
    yield f"opset {[entry.version for entry in model.opset_import]}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    noise, inputs = np.random.default_rng(0), {}
    for tensor in session.get_inputs():
        yield f"input {tensor.name} {tensor.type} {tensor.shape}"
        shape = [side if isinstance(side, int) else (48 if number else 2) for number, side in enumerate(tensor.shape)]
        values = noise.integers(0, 256, shape)
        inputs[tensor.name] = values.astype(np.uint8 if "uint8" in tensor.type else np.float32)
    for tensor, values in zip(session.get_outputs(), session.run(None, inputs), strict=True):
        figures = " ".join(f"{value:.9g}" for value in values.ravel()[:14])
        yield f"output {tensor.name} {tensor.type} {tensor.shape}: {_array(values)} {figures}"


def _table(path: Path) -> Iterator[str]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    metadata = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
    yield from _metadata(metadata)
    yield from (f"column {field.name}: {field.type}" for field in table.schema)
    yield from (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())


def _presence(path: Path) -> Iterator[str]:
    """A checkpoint, which has times in it: `fer train --resume` shows whether it serves."""
    yield "there"


_VIEWS: Mapping[str, Callable[[Path], Iterator[str]]] = {
    ".png": _image,
    ".jpg": _image,
    ".jpeg": _image,
    ".gif": _image,
    ".webp": _image,
    ".tif": _image,
    ".mp4": _video,
    ".safetensors": _tensors,
    ".onnx": _network,
    ".parquet": _table,
    ".ckpt": _presence,
}
