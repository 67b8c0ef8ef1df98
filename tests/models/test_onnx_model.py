"""What ships gives the same in ONNX Runtime as in PyTorch, and needs no PyTorch there."""

import subprocess
import sys

import numpy as np
import onnx
import pytest

from fercli.core.errors import ModelError
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.models.locate import weights_path
from fercli.models.onnx_model import graph_path, load_onnx_model

SHIPPED = [name for name, entry in load_catalogue().models.items() if entry.weights]
FACES = np.random.default_rng(0).integers(0, 256, (9, 1, 48, 48), dtype=np.uint8)


@pytest.mark.parametrize("name", [*SHIPPED, "preact-resnet10+preact-resnet18", "xu-rescnn+preact-resnet10"])
@pytest.mark.parametrize(("mirrored", "raw"), [(False, False), (True, False), (True, True)])
def test_what_ships_gives_the_same(name, mirrored, raw):
    one, other = (load(name, mirrored=mirrored, raw=raw) for load in (load_onnx_model, load_model))
    assert one.header == other.header
    assert (one.classes, one.temperature, one.remark, one.path) == (
        other.classes, other.temperature, other.remark, other.path,
    )  # fmt: skip
    np.testing.assert_allclose(one.probabilities(FACES), other.probabilities(FACES), rtol=0, atol=1e-5)


def test_faces_of_another_kind_are_refused_and_none_give_none():
    model = load_onnx_model()
    assert model.probabilities(FACES[:0]).shape == (0, len(model.classes))
    with pytest.raises(ValueError, match="not uint8"):
        model.probabilities(FACES.astype(np.float32))
    with pytest.raises(ValueError, match=r"not uint8 \(N, 1, 48, 48\)"):
        model.probabilities(FACES[:, 0])


def test_networks_without_a_graph_are_left_to_pytorch(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes((graph_path(load_model().path).parent / "xu-rescnn.safetensors").read_bytes())
    assert load_onnx_model(str(path)) is None
    assert load_onnx_model(f"xu-rescnn+{path}") is None
    with pytest.raises(ModelError, match="no model 'xu-rescn'"):
        load_onnx_model("xu-rescn")


def test_weights_that_do_not_fit_their_graph_are_refused_in_one_line(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes((graph_path(load_model().path).parent / "xu-rescnn.safetensors").read_bytes())
    graph_path(path).write_bytes(graph_path(load_model("preact-resnet10").path).read_bytes())
    with pytest.raises(ModelError, match=r"cannot load .*mine\.safetensors in ONNX Runtime: .*--engine torch"):
        load_onnx_model(str(path))


def test_a_photograph_is_predicted_without_pytorch(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from fercli.cli.app import main\n"
        "sys.argv = ['fer', 'predict', '--demo', '--device', 'cpu']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "grace_hopper.jpg" in done.stdout


@pytest.mark.parametrize("words", [["train", "--data", "cartoon"], ["predict", "--demo", "--engine", "torch"]])
def test_what_needs_pytorch_says_so_in_one_line(words):
    code = f"import sys; sys.modules['torch'] = None; sys.argv = ['fer', *{words!r}]\n"
    code += "from fercli.cli.app import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "error: this needs PyTorch, which is not installed: pip install torch"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", SHIPPED)
def test_convolutions_have_constant_biases(name):
    """Others are left out of ONNX Runtime's fast layout: the network then takes 1.6 times as long."""
    graph = onnx.load(graph_path(weights_path(name)), load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert all(set(node.input[1:]) <= constants for node in convolutions)
