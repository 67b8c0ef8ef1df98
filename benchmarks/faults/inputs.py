"""The good files that faults are put into: a folder for each kind of case, all made here from a seed."""

import gzip
import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
#: The data set of every training here, below the folder of the inputs.
FACES = "faces/faces.safetensors"
_VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
#: The column of FER+ that each class has there.
_VOTED = (4, 5, 6, 1, 3, 2, 0)


def make_inputs(folder: Path) -> None:
    """Write all good files, some of them by the program itself."""
    import fercli.models.catalogue_file

    noise = np.random.default_rng(0)
    picture = Image.fromarray(noise.integers(0, 256, (6, 6, 3), np.uint8)).resize((60, 50))
    _pictures(folder / "pictures", picture)
    _archives(folder / "archives", picture)
    _films(folder / "films", noise)
    _faces(folder, noise)
    _runs(folder)
    (folder / "settings").mkdir()
    shutil.copy(fercli.models.catalogue_file.catalogue_path(), folder / "settings/models.yaml")
    shutil.copy(folder / "run/config.yaml", folder / "settings")
    shutil.copy(folder / "crossval/crossval.yaml", folder / "settings")
    _weights(folder)
    _states(folder / "states")
    _jobs(folder)


def _pictures(folder: Path, picture: Image.Image) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    folder.mkdir(parents=True)
    for ending in ("png", "jpg", "webp", "tif", "bmp", "avif", "heic", "jp2", "tga", "ico", "ppm"):
        picture.save(folder / f"a.{ending}")
    picture.save(folder / "moving.gif", save_all=True, append_images=[picture.rotate(180)])
    Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(folder / "gray16.png")
    picture.quantize(16).save(folder / "palette.png")


def _archives(folder: Path, picture: Image.Image) -> None:
    folder.mkdir(parents=True)
    content = io.BytesIO()
    picture.save(content, "png")
    members = {f"train/{label}/{number}.png": content.getvalue() for number, label in enumerate(CLASSES[:3])}
    for name, how in (("a.zip", zipfile.ZIP_DEFLATED), ("stored.zip", zipfile.ZIP_STORED), ("x.zip", zipfile.ZIP_LZMA)):
        with zipfile.ZipFile(folder / name, "w", how) as album:
            for member, data in members.items():
                album.writestr(member, data)
    for name, how in (("a.tar", ""), ("a.tar.gz", "gz"), ("a.tar.bz2", "bz2"), ("a.tar.xz", "xz")):
        with tarfile.open(folder / name, f"w:{how}") as tar:  # type: ignore[call-overload]
            for member, data in members.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def _films(folder: Path, noise: np.random.Generator) -> None:
    import cv2

    folder.mkdir()
    frames = noise.integers(0, 256, (8, 6, 6, 3), np.uint8).repeat(8, 1).repeat(10, 2)
    for name, code in (("a.mp4", "mp4v"), ("a.avi", "MJPG")):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter.fourcc(*code), 10.0, (60, 48))
        for frame in frames:
            writer.write(frame)
        writer.release()


def _faces(folder: Path, noise: np.random.Generator) -> None:
    """A set of 63 faces as one file, as csv files with FER+'s votes, and with a table of subjects."""
    from fercli.data.faceset import FaceSet
    from fercli.data.loaders.face_file import write_faces

    images = noise.integers(0, 256, (63, 1, 6, 6), np.uint8).repeat(8, 2).repeat(8, 3)
    labels = np.arange(63) % 7
    images[:, 0, :8, :8] = (labels * 40)[:, None, None]
    ids, subjects = tuple(f"p{n // 7}_{n}.png" for n in range(63)), tuple(f"p{n // 7}" for n in range(63))
    write_faces(folder / FACES, FaceSet("small", images, labels, CLASSES, ids, subjects))
    votes = folder / "votes"
    votes.mkdir()
    rows, voted = ["emotion,pixels,Usage"], [_VOTES]
    usages = ["Training"] * 42 + ["PublicTest"] * 14 + ["PrivateTest"] * 7
    for number, (image, label, usage) in enumerate(zip(images, labels, usages, strict=True)):
        rows.append(f"{label},{' '.join(map(str, image.ravel()))},{usage}")
        counts = ["0"] * 10
        counts[_VOTED[label]] = "10"
        voted.append(f"{usage},fer{number:07}.png,{','.join(counts)}")
    table = "\n".join(rows) + "\n"
    (votes / "fer2013.csv").write_text(table)
    (votes / "fer2013new.csv").write_text("\n".join(voted) + "\n")
    tables = folder / "tables"
    tables.mkdir()
    (tables / "fer2013.csv").write_text(table)
    (tables / "fer2013.csv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
    listed = "\n".join(f"{face},{subject}" for face, subject in zip(ids, subjects, strict=True))
    (tables / "subjects.csv").write_text(f"file,subject\n{listed}\n")


def _runs(folder: Path) -> None:
    """A finished run, one that was interrupted after its first epoch, and a cross-validation without its last file."""
    from fercli.workflows.crossval.options import CrossvalOptions
    from fercli.workflows.crossval.run import crossval
    from fercli.workflows.train.options import TrainOptions
    from fercli.workflows.train.run import train

    common: Any = {"data": str(folder / FACES), "recipe": "quick", "epochs": 1, "batch_size": 16, "device": "cpu"}
    train(TrainOptions(model="lenet", group="image", out=folder / "run", **common))
    shutil.copytree(folder / "run", folder / "unfinished")
    (folder / "unfinished/metrics.json").unlink()
    cross = {"models": ("lenet",), "folds": 3, "group": "image", "threads": 1, "jobs": 1, "out": folder / "crossval"}
    crossval(CrossvalOptions(**cross, **common))
    (folder / "crossval/crossval.json").unlink()


def _weights(folder: Path) -> None:
    """The run's weights, those of another architecture with arguments, and a small ONNX file with the run's header."""
    from fercli.models.load import load_model
    from fercli.models.weights import HEADER_KEY, dump_header

    place = folder / "weights"
    place.mkdir()
    shutil.copy(folder / "run/model.safetensors", place / "lenet.safetensors")
    shutil.copy(load_model("xu-rescnn").path, place)
    (folder / "onnx").mkdir()
    header = load_model(str(folder / "run")).header
    write_small_onnx(folder / "onnx/a.onnx", {HEADER_KEY: dump_header(header), "classes": json.dumps(CLASSES)})


def write_small_onnx(path: Path, metadata: dict[str, str]) -> None:
    """An ONNX file of the form that `fer export` writes, of one dense layer."""
    import onnx
    from onnx import TensorProto as Kinds
    from onnx import helper

    weights = helper.make_tensor("weights", Kinds.FLOAT, (2304, 7), np.linspace(-1, 1, 2304 * 7).tolist())
    nodes = [
        helper.make_node("Cast", ["faces"], ["pixels"], to=Kinds.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    faces = helper.make_tensor_value_info("faces", Kinds.UINT8, ("N", 1, 48, 48))
    given = [helper.make_tensor_value_info(name, Kinds.FLOAT, ("N", 7)) for name in ("logits", "probabilities")]
    graph = helper.make_graph(nodes, "small", [faces], given, [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)


def _states(folder: Path) -> None:
    """State dicts as torch.save writes them, new and old, and as safetensors."""
    import safetensors.torch
    import torch

    from benchmarks.faults.calls import small_network

    folder.mkdir()
    state = small_network().state_dict()
    torch.save(state, folder / "a.pth")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(state, folder / "a.safetensors")


def _jobs(folder: Path) -> None:
    """A job's results in every form, complete, with the pictures beside them; and lists of these pictures."""
    import fercli

    place = folder / "jobs"
    shutil.copytree(folder / "pictures", place / "photos")
    for form in ("csv", "jsonl", "json", "parquet"):
        fercli.predict_files(place / "photos", place / f"rows.{form}", faces_are_cropped=True, device="cpu")
    (folder / "lists").mkdir()
    names = [str(path) for path in sorted((folder / "pictures").iterdir())]
    (folder / "lists/list.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
