"""Weights to start from: taken whole, or refused with a line that says what to do."""

import urllib.error
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from fercli.core.errors import ModelError
from fercli.models.architectures import load_architectures
from fercli.models.pretrained import load_imagenet

WEIGHTS = "ResNet18_Weights.IMAGENET1K_V1"
FILE = "resnet18-f37072fd.pth"


def resnet18(classes: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return load_architectures()["resnet"](classes=classes, backbone="resnet18")


@pytest.fixture(scope="module")
def published() -> dict[str, torch.Tensor]:
    """What a published file holds: a thousand classes, and no counts of batches as in torchvision's oldest."""
    state = resnet18(1000, 1).state_dict()
    return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """torchvision's folder, empty, and no network."""

    def offline(*_arguments: object, **_named: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def assert_taken(network: nn.Module, before: nn.Module, published: dict[str, torch.Tensor]) -> None:
    for name, value in network.state_dict().items():
        if name.startswith("fc."):
            assert torch.equal(value, before.state_dict()[name])
        elif name in published:
            assert torch.equal(value, published[name]), name


def test_torchvision_s_own_file_is_taken_but_for_the_head(hub, published):
    torch.save(published, hub / FILE)
    network = resnet18(7, 2)
    load_imagenet(network, WEIGHTS)
    assert_taken(network, resnet18(7, 2), published)


@pytest.mark.parametrize("name", ["mine.pth", "mine.safetensors"])
def test_a_local_file_is_taken_likewise(tmp_path, published, name):
    (safetensors.torch.save_file if name.endswith("safetensors") else torch.save)(published, tmp_path / name)
    network = resnet18(7, 2)
    load_imagenet(network, WEIGHTS, tmp_path / name)
    assert_taken(network, resnet18(7, 2), published)


def test_offline_the_error_names_file_folder_and_both_ways_out(hub):
    with pytest.raises(ModelError) as error:
        load_imagenet(resnet18(7, 2), WEIGHTS)
    for part in (FILE, str(hub), "no network", "--pretrained-file PATH", "--no-pretrained"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_another_network_names_what_does_not_fit(tmp_path, published):
    other = {name: value for name, value in published.items() if name != "layer3.1.conv2.weight"}
    torch.save({**other, "layer1.0.conv1.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other.pth does not fit .*layer1.0.conv1.weight and 1 more missing or of"):
        load_imagenet(resnet18(7, 2), WEIGHTS, tmp_path / "other.pth")


def test_a_deeper_network_s_file_is_not_cut_short(tmp_path, published):
    torch.save({**published, "layer1.2.conv1.weight": torch.zeros(2)}, tmp_path / "deeper.pth")
    with pytest.raises(ModelError, match=r"deeper.pth does not fit this network, which has no layer1.2.conv1.weight"):
        load_imagenet(resnet18(7, 2), WEIGHTS, tmp_path / "deeper.pth")


def test_a_damaged_file_of_torchvision_s_is_called_so(hub):
    (hub / FILE).write_bytes(b"PK cut off")
    with pytest.raises(ModelError, match=rf"{FILE} is damaged .*: delete it and try again"):
        load_imagenet(resnet18(7, 2), WEIGHTS)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut off"])
def test_an_unreadable_file_is_one_line(tmp_path, content):
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(ModelError, match=r"^cannot read .*bad.pth as a file of weights"):
        load_imagenet(resnet18(7, 2), WEIGHTS, tmp_path / "bad.pth")


def test_a_file_that_is_not_there_or_holds_something_else(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        load_imagenet(resnet18(7, 2), WEIGHTS, tmp_path / "none.pth")
    torch.save({"epoch": 3}, tmp_path / "checkpoint.pth")
    with pytest.raises(ModelError, match="is no state dict"):
        load_imagenet(resnet18(7, 2), WEIGHTS, tmp_path / "checkpoint.pth")


def test_weights_that_torchvision_does_not_know():
    with pytest.raises(ModelError, match=r"no weights 'ResNet18_Weights\.NONE'"):
        load_imagenet(resnet18(7, 2), "ResNet18_Weights.NONE")
