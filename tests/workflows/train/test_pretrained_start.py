"""What a training writes is read again with the same figures; and trainings that start from weights in a file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fercli.core.errors import UsageError
from fercli.core.progress import EpochRow, Progress
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces as a folder of class folders, ten of each: enough for a step or two of a large network."""
    folder = tmp_path_factory.mktemp("few")
    faces = cartoon(subjects=10, each=1)
    for image, label, name in zip(faces.images, faces.labels, faces.ids, strict=True):
        path = folder / faces.classes[label] / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image[0]).save(path)
    return folder


@pytest.mark.parametrize("name", ["xu-rescnn", "chen-resnet-mlp"])
def test_an_epoch_is_written_and_read_again(name, few, tmp_path):
    entry = load_catalogue()[name]
    data = "cartoon" if entry.parameters.total < 100_000 else str(few)
    out = tmp_path / "run"
    run = train(TrainOptions(model=name, data=data, recipe="quick", device="cpu", epochs=1, pretrained=False, out=out))
    (trained,) = [one for one in run.evaluations if one.split == "test" and not one.mirrored]
    again = evaluate(EvaluateOptions(model=str(run.folder), split="test", device="cpu"))
    assert again.predictions.ids == trained.predictions.ids
    # weights lie in another order in memory after training, so sums over a hundred layers round differently
    np.testing.assert_allclose(again.predictions.probabilities, trained.predictions.probabilities, atol=1e-4)
    remark = "without ImageNet weights, not the paper's set-up"
    transfers = name == "chen-resnet-mlp"
    assert (remark in again.notes) == transfers
    assert (remark in trained.notes) == transfers


@pytest.fixture
def transfer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue whose model starts from ResNet-18's ImageNet weights, and a file to start from."""
    from fercli.models.catalogue import build_model
    from fercli.models.catalogue_file import catalogue_path

    text = catalogue_path().read_text(encoding="utf-8")
    entry = """
  small-resnet:
    summary: a small one
    architecture: resnet
    arguments: {backbone: resnet18}
    input: {scaling: imagenet}
    parameters: {trainable: 11180103, total: 11189703}
    multiply_adds: 1
    imagenet: ResNet18_Weights.IMAGENET1K_V1
    source: {cite: none}
    recipes:
      best:
        pretrained: imagenet
        frozen: [conv1, bn1, layer1, layer2, layer3]
        epochs: 1
        batch_size: 16
        optimizer: {name: sgd, lr: 1e-3}
      paper: transfer
"""
    (tmp_path / "models.yaml").write_text(text + entry, encoding="utf-8")
    monkeypatch.setenv("FER_CATALOGUE", str(tmp_path / "models.yaml"))
    torch.manual_seed(9)
    torch.save(build_model("small-resnet").body.state_dict(), tmp_path / "start.pth")
    return tmp_path / "start.pth"


def test_a_run_starts_from_a_file_and_keeps_what_is_frozen(transfer, few, tmp_path):
    def trained(**start: object) -> dict[str, torch.Tensor]:
        out = tmp_path / "-".join(start)
        run = train(TrainOptions(model="small-resnet", data=str(few), device="cpu", out=out, **start))
        return load_model(str(run.folder)).network.body.state_dict()

    start = torch.load(transfer, weights_only=True)
    after, scratch = trained(pretrained_file=transfer), trained(pretrained=False)
    for name, value in start.items():
        if name.split(".")[0] in ("conv1", "bn1", "layer1", "layer2", "layer3"):
            assert torch.equal(after[name], value), name
    assert not torch.equal(after["layer4.1.bn2.running_mean"], start["layer4.1.bn2.running_mean"])
    assert not torch.equal(scratch["layer1.0.bn1.running_mean"], torch.zeros(64)), "nothing is frozen from scratch"


def test_a_run_that_was_broken_off_goes_on_without_the_file_it_started_from(transfer, few, tmp_path):
    class KilledError(Exception):
        pass

    class Killing(Progress):
        def epoch(self, row: EpochRow, best: bool) -> None:
            if row.epoch == 2:
                raise KilledError

    out = tmp_path / "run"
    options = TrainOptions(
        model="small-resnet", data=str(few), device="cpu", epochs=2, pretrained_file=transfer, out=out
    )
    with pytest.raises(KilledError):
        train(options, Killing())
    transfer.unlink()
    assert train(TrainOptions(out=out, resume=True)).epochs == 2


def test_weights_that_a_network_does_not_have_are_refused_however_they_are_asked_for():
    with pytest.raises(UsageError, match="xu-rescnn has no ImageNet weights to start from"):
        train(TrainOptions(data="cartoon", device="cpu", recipe_settings={"pretrained": "imagenet"}))
