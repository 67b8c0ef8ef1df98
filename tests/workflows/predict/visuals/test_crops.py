"""Faces and embeddings out of a job."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image
from typer.testing import CliRunner

import fercli
from fercli.cli.app import app
from fercli.core.errors import ModelError, UsageError
from fercli.data.load import load_faces
from fercli.faces.crop import crop_face
from fercli.faces.io.decode import read_picture
from fercli.models.embed import Embedder
from fercli.models.load import load_model
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.run import run_job

PORTRAIT = get_sample_data("grace_hopper.jpg", asfileobj=False)


@pytest.fixture
def pictures(tmp_path):
    """The portrait in two folders under one name, and a picture without a face."""
    folder = tmp_path / "pictures"
    for inner in ("a", "b"):
        (folder / inner).mkdir(parents=True)
        (folder / inner / "hopper.jpg").write_bytes(Path(PORTRAIT).read_bytes())
    Image.new("RGB", (80, 80)).save(folder / "blank.png")
    return folder


def run(pictures, **options):
    return run_job([pictures], PredictOptions(recursive=True, device="cpu", **options))


def test_each_face_is_saved_as_the_network_sees_it_and_can_be_trained_on(pictures, tmp_path):
    crops = tmp_path / "crops"
    summary = run(pictures, output=tmp_path / "rows.csv", save_crops=crops)
    assert summary.crops == crops
    files = sorted(file.relative_to(crops).as_posix() for file in crops.rglob("*.png"))
    assert files == ["neutral/a-hopper.jpg-face1.png", "neutral/b-hopper.jpg-face1.png"]
    (result,) = fercli.predict(PORTRAIT, device="cpu")
    expected = crop_face(read_picture(pictures / "a" / "hopper.jpg"), result.faces[0].detection)
    np.testing.assert_array_equal(np.asarray(Image.open(crops / files[0])), expected)
    for label in ("happy", "sad"):
        (crops / label).mkdir()
        Image.fromarray(expected).save(crops / label / "x.png")
    np.testing.assert_array_equal(load_faces(str(crops)).images[1, 0], expected)


def test_a_folder_with_files_is_added_to_only_when_asked(pictures, tmp_path):
    crops = tmp_path / "crops"
    crops.mkdir()
    (crops / "mine.txt").touch()
    with pytest.raises(UsageError, match="holds files already: --force adds to them"):
        run(pictures, save_crops=crops)
    run(pictures, save_crops=crops, force=True)
    assert (crops / "mine.txt").exists()
    with pytest.raises(UsageError, match="is a file"):
        run(pictures, save_crops=crops / "mine.txt")


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_embeddings_have_a_row_a_face(pictures, tmp_path, suffix):
    file = tmp_path / f"vectors{suffix}"
    assert run(pictures, embeddings=file, model="xu-rescnn").embeddings == file
    if suffix == ".npz":
        table = dict(np.load(file))
    else:
        parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
        rows = parquet.read_table(file).to_pylist()
        table = {name: np.array([row[name] for row in rows]) for name in ("source", "face", "label", "embedding")}
        table["embeddings"] = table["embedding"].astype(np.float32)
    assert table["source"].tolist() == [str(pictures / inner / "hopper.jpg") for inner in ("a", "b")]
    assert table["face"].tolist() == [1, 1]
    assert table["label"].tolist() == ["neutral"] * 2
    np.testing.assert_array_equal(*table["embeddings"])
    assert table["embeddings"].std() > 0


@pytest.mark.parametrize("name", ["xu-rescnn", "vgg14"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_last_layer_makes_the_network_s_logits_of_an_embedding(name, mirrored):
    model = load_model(name, mirrored=mirrored)
    faces = load_faces("cartoon").images[:70]  # more than one batch
    vectors = torch.from_numpy(Embedder(model).embed(faces))
    last = [layer for layer in model.network.modules() if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)][-1]
    with torch.no_grad():
        logits = torch.nn.functional.linear(vectors, last.weight.flatten(1), last.bias)
    if not model.header.label_smoothing:
        np.testing.assert_allclose(logits.numpy(), model.logits(faces), atol=2e-3)
    assert (logits.argmax(1).numpy() == model.logits(faces).argmax(1)).mean() > 0.95


def test_no_face_is_no_row(tmp_path):
    Image.new("RGB", (80, 80)).save(tmp_path / "blank.png")
    file = tmp_path / "v.npz"
    run(tmp_path / "blank.png", embeddings=file, model="xu-rescnn")
    assert np.load(file)["embeddings"].shape == (0, Embedder(load_model("xu-rescnn")).size)
    assert Embedder(load_model("xu-rescnn")).embed(np.empty((0, 1, 48, 48), np.uint8)).shape[0] == 0


def test_averages_have_no_embedding():
    with pytest.raises(ModelError, match="is an average of several"):
        Embedder(load_model("xu-rescnn+xu-rescnn"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"engine": "onnx", "embeddings": "v.npz"}, "--engine onnx cannot"),
        ({"resume": True, "output": "a.csv", "embeddings": "v.npz"}, "with --force in place of --resume"),
        (
            {"output": "a.csv", "shard": "1/2", "save_crops": "crops"},
            "--shard writes rows alone: leave --save-crops out",
        ),
    ],
)
def test_what_does_not_go_together_is_told(options, told):
    paths = {name: Path(value) for name, value in options.items() if name in ("embeddings", "output", "save_crops")}
    with pytest.raises(UsageError, match=told):
        PredictOptions(**{**options, **paths})


def test_the_command_says_where_they_are_and_checks_the_ending(tmp_path):
    result = CliRunner().invoke(app, ["predict", PORTRAIT, "--embeddings", str(tmp_path / "v.txt")])
    assert "must end in .parquet or .npz" in str(result.exception)
    result = CliRunner().invoke(app, ["predict", PORTRAIT, "--save-crops", str(tmp_path / "crops"), "--device", "cpu"])
    assert f"crops in {tmp_path / 'crops'}" in result.stderr.replace("\n", "")
