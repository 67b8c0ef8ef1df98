"""Weights, ONNX files and state dicts with faults that were found by the campaign."""

import json
import os
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from benchmarks.faults.inputs import write_small_onnx
from fercli.models.catalogue import build_model
from fercli.models.load import load_model
from fercli.models.pretrained import load_imagenet
from fercli.models.weights import HEADER_KEY, Header, dump_header, save_weights

FACES = np.zeros((2, 1, 48, 48), np.uint8)
HEADER = Header("lenet", "lenet", {}, {"scaling": "unit"}, ("angry", "happy", "sad"))
SEVEN = Header("small", "lenet", {}, {}, tuple("abcdefg"))
IMAGENET = "ResNet18_Weights.IMAGENET1K_V1"


def change_header(folder, **changes):
    """A weights file of three classes whose header says something else."""
    path = folder / "net.safetensors"
    document = {**json.loads(dump_header(HEADER)), **changes}
    state = build_model("lenet", classes=3).state_dict()
    safetensors.torch.save_file(state, path, {HEADER_KEY: json.dumps(document)})
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"architecture": 3}, "architecture: 3 is not text"),
        ({"architecture": "x" * 5000}, "needs the architecture"),
        ({"architecture": "preact-resnet", "arguments": {"width": 8, "blocks": 10**9}}, "its argument blocks is"),
        ({"architecture": "preact-resnet", "arguments": {"width": 4096, "blocks": 9}}, "do not fit"),
        ({"architecture": "preact-resnet", "arguments": {"width": 0, "blocks": 1}}, "its argument width is 0"),
        ({"architecture": "resnet", "arguments": {"backbone": "vit_h_14"}}, "do not fit"),
        ({"architecture": "resnet", "arguments": {"backbone": "none"}}, "does not fit resnet"),
        ({"arguments": [1]}, "arguments"),
        ({"arguments": {"a": None}}, "arguments"),
        ({"classes": "abc"}, "class names"),
        ({"classes": ["a", "b\x1b[2J", "c"]}, "class names"),
        ({"classes": []}, "classes"),
        ({"temperature": {"single": "warm", "mirrored": 1}}, "temperature.single"),
        ({"temperature": {"single": 1e999, "mirrored": 1.0}}, "temperature of single views is inf"),
        ({"temperature": {}}, "temperature of single views is None"),
        ({"training": ["x"]}, "training"),
        ({"training": {"extra": {"data": 1}}}, "training.extra.data"),
        ({"training": {"seed": "x" * 5000}}, "training.seed"),
        ({"x" * 5000: 1}, "unknown setting"),
        ({"input": {"size": 10**30}}, "too large"),
        ({"format": None}, "newer fercli"),
    ],
)  # fmt: skip
def test_a_header_with_other_values_is_refused(tmp_path, refused, changes, told):
    with refused(told):
        load_model(str(change_header(tmp_path, **changes)))


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "null", "9" * 5000, "{}"])
def test_a_header_that_is_none(tmp_path, refused, text):
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {HEADER_KEY: text})
    with refused("the header of"):
        load_model(str(path))


def test_an_older_header_with_less_in_it_is_read(tmp_path):
    path = tmp_path / "net.safetensors"
    document = json.loads(dump_header(HEADER))
    for key in ("temperature", "training", "metrics"):
        del document[key]
    safetensors.torch.save_file(build_model("lenet", classes=3).state_dict(), path, {HEADER_KEY: json.dumps(document)})
    assert load_model(str(path)).probabilities(FACES).shape == (2, 3)


@pytest.mark.parametrize("name", ["a.safetensors", "a.onnx", "a.pth"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "zero"])
def test_a_model_or_state_dict_that_is_no_file(tmp_path, refused, name, kind):
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with refused("cannot read" if kind != "folder" else "is a folder, but no run: it has neither"):
        load_model(str(path))
    with refused("it is a folder" if kind == "folder" else "it is not a regular file"):
        load_imagenet(network(), IMAGENET, path)


def test_an_address_is_not_fetched_and_other_files_are_not_models(tmp_path, refused):
    for address in ("https://example.org/net.safetensors", "S3://bucket/net.onnx"):
        with refused("nothing is fetched: download the file and name it"):
            load_model(address)
    (tmp_path / "m.pth").write_bytes(b"weights")
    with refused("a model is a run folder, or a .safetensors or .onnx file"):
        load_model(str(tmp_path / "m.pth"))
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.yaml").write_text("")
    with refused("has no model.safetensors: fer train --resume --out"):
        load_model(str(tmp_path / "begun"))
    with refused("no such file"):
        load_model("none.safetensors")
    for name in ("x" * 5000, "a\nb", "\x1b[31m"):
        with refused("no model"):
            load_model(name)


@pytest.fixture
def onnx_file(tmp_path):
    path = tmp_path / "a.onnx"
    write_small_onnx(path, {HEADER_KEY: dump_header(SEVEN)})
    return path


def change_onnx(path, change):
    import onnx

    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def test_a_good_onnx_file_is_read(onnx_file):
    assert load_model(str(onnx_file)).probabilities(FACES).shape == (2, 7)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda model: model.graph.output.pop(), "its outputs are logits"),
        (lambda model: setattr(model.graph.output[1], "name", "flat"), "its outputs are logits"),
        (lambda model: setattr(model.metadata_props[0], "value", "[" * 9999), "the header of"),
        (lambda model: setattr(model.metadata_props[0], "key", "other"), "holds no fercli header"),
        (lambda model: setattr(model.graph.node[0], "op_type", "Nope"), "as an ONNX file"),
    ],
)
def test_an_onnx_file_that_fer_export_does_not_write(onnx_file, refused, change, told):
    change_onnx(onnx_file, change)
    with refused(told):
        load_model(str(onnx_file))


def test_an_onnx_file_whose_header_has_other_classes_than_its_graph(tmp_path, refused):
    path = tmp_path / "a.onnx"
    write_small_onnx(path, {HEADER_KEY: dump_header(HEADER)})
    with refused("where its header says (2, 3)"):
        load_model(str(path)).logits(FACES)


def network():
    return nn.Sequential(OrderedDict(conv1=nn.Conv2d(1, 2, 3), fc=nn.Linear(2, 3)))


class Payload:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of the file ran')",)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: path.write_bytes(pickle.dumps(Payload())), "Python objects that could run code"),
        (lambda path: torch.save({"conv1.weight": Payload()}, path), "Python objects that could run code"),
        (lambda path: torch.save(network(), path), "save network.state_dict() alone"),
        (lambda path: torch.save({3: torch.zeros(1)}, path), "is no state dict"),
        (lambda path: path.touch(), "it is empty"),
        (lambda path: path.write_bytes(b"\x80\x02."), "as a file of weights"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "as a file of weights"),
        (lambda path: torch.save({"conv1.weight": torch.zeros(2, 1, 3, 3).to_sparse(), "conv1.bias": torch.zeros(2)},
                                 path), "fit this network"),
    ],
)  # fmt: skip
def test_a_state_dict_that_is_none(tmp_path, refused, write, told):
    path = tmp_path / "a.pth"
    write(path)
    with warnings.catch_warnings(record=True) as warned, refused(told):
        load_imagenet(network(), IMAGENET, path)
    assert not warned


def test_a_good_state_dict_is_taken(tmp_path):
    torch.save(network().state_dict(), tmp_path / "a.pth")
    load_imagenet(network(), IMAGENET, tmp_path / "a.pth")


def test_weights_saved_here_are_read_as_before(tmp_path):
    save_weights(tmp_path / "net.safetensors", build_model("lenet", classes=3).state_dict(), HEADER, half=True)
    assert load_model(str(tmp_path / "net.safetensors")).header == HEADER
