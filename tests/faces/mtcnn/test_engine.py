"""The two engines give the same, and ONNX Runtime's needs no PyTorch."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from fercli.core.errors import UsageError
from fercli.faces.mtcnn.boxes import Candidates, _nms
from fercli.faces.mtcnn.detector import Detector
from fercli.faces.mtcnn.engine import OnnxNetworks, load_networks
from fercli.faces.mtcnn.pyramid import CANVAS_SIDE
from fercli.faces.mtcnn.torch_networks import TorchNetworks, load_facenet_networks


@pytest.fixture(scope="module")
def networks():
    return OnnxNetworks(), TorchNetworks("cpu")


def noise(*shape):
    return np.random.default_rng(0).random(shape, np.float32) * 2 - 1


def test_pnet_gives_the_same_with_marks_at_odd_edges(networks):
    canvases = noise(2, 4, CANVAS_SIDE, CANVAS_SIDE)
    canvases[:, 3] = 0
    canvases[1, 3, 41, 10:60] = canvases[1, 3, 10:40, 61] = 1
    one, other = (network.pnet(canvases) for network in networks)
    np.testing.assert_allclose(one, other, rtol=0, atol=2e-5)
    unmarked = canvases.copy()
    unmarked[:, 3] = 0
    assert np.abs(networks[0].pnet(unmarked) - one).max() > 0.01


def test_pnet_is_facenet_pytorchs(networks):
    canvases = noise(1, 4, CANVAS_SIDE, CANVAS_SIDE)
    canvases[:, 3] = 0
    with torch.inference_mode():
        offsets, probabilities = load_facenet_networks()[0](torch.from_numpy(canvases[:, :3]))
    given = networks[0].pnet(canvases)
    np.testing.assert_allclose(given[:, 2:], offsets, rtol=0, atol=2e-5)
    np.testing.assert_allclose(torch.from_numpy(given[:, :2]).softmax(1), probabilities, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("name", "side"), [("rnet", 24), ("onet", 48)])
def test_rnet_and_onet_give_the_same(networks, name, side):
    crops = noise(16, 3, side, side)
    for one, other in zip(*(getattr(network, name)(crops) for network in networks), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)


def test_both_engines_find_the_same_faces(portrait):
    pictures = [portrait, portrait[::2, ::3], np.tile(portrait[::3, ::3], (2, 3, 1))]
    pictures = [np.ascontiguousarray(picture) for picture in pictures]
    found = [Detector(engine=engine).find_all(pictures) for engine in ("onnx", "torch")]
    assert sum(map(len, found[0])) >= 5
    for one, other in zip(*found, strict=True):
        assert len(one) == len(other)
        for face, same in zip(one, other, strict=True):
            np.testing.assert_allclose(face.box, same.box, rtol=0, atol=0.01)
            np.testing.assert_allclose(face.landmarks, same.landmarks, rtol=0, atol=0.01)
            assert abs(face.score - same.score) < 1e-4


def test_faces_are_found_without_pytorch():
    code = (
        "import sys, numpy as np\n"
        "sys.modules['torch'] = None\n"
        "from fercli.faces.mtcnn.detector import Detector\n"
        "print(Detector().find(np.zeros((80, 80, 3), np.uint8)), 'facenet_pytorch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]


def test_onnx_runtime_is_for_the_cpu():
    assert isinstance(load_networks("auto", "cpu"), OnnxNetworks)
    assert isinstance(load_networks("auto", "mps"), OnnxNetworks)
    with pytest.raises(UsageError, match="the engine onnx runs on the CPU, not on cuda:1"):
        load_networks("onnx", "cuda:1")


@settings(deadline=None)
@given(st.data())
def test_nms_is_torchvisions(data):
    # coarse coordinates and scores, so that overlaps of exactly the threshold and equal scores are common
    count = data.draw(st.sampled_from([1, 2, 7, 40, 600]))
    draw = np.random.default_rng(data.draw(st.integers(0, 999)))
    corners = draw.integers(0, data.draw(st.sampled_from([4, 30])), (count, 2))
    boxes = np.concatenate([corners, corners + draw.integers(1, 12, (count, 2))], axis=1).astype(np.float32)
    scores = (draw.integers(0, 20, count) / 20).astype(np.float32)
    threshold = data.draw(st.sampled_from([0.5, 0.7]))
    wanted = ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
    assert _nms(boxes, scores, threshold).tolist() == wanted.tolist()


def test_boxes_without_an_area_drop_none():
    boxes = np.zeros((3, 4), np.float32)
    empty = np.zeros((3, 4), np.float32)
    candidates = Candidates(np.zeros(3, int), boxes, np.ones(3, np.float32), empty, np.zeros((3, 0, 2), np.float32))
    assert len(candidates.nms(0.5).boxes) == 3
