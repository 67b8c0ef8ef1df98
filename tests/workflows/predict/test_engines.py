"""Which engine runs what, and what is refused."""

import shutil
import sys

import pytest

from fercli.core.errors import UsageError
from fercli.models.load import Model, load_model
from fercli.models.onnx_model import OnnxModel
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions


@pytest.fixture
def own_weights(tmp_path):
    """A weights file that does not ship."""
    return str(shutil.copy(load_model("xu-rescnn").path, tmp_path / "mine.safetensors"))


def load(**options):
    """The model that a job with these options uses."""
    return pipeline.load_networks(PredictOptions(faces_are_cropped=True, **options))[0]


def test_what_ships_runs_in_onnx_runtime_on_a_cpu_unless_gradients_or_pytorch_are_asked_for(tmp_path):
    assert isinstance(load(device="cpu"), OnnxModel)
    assert isinstance(load(device="cpu", engine="torch"), Model)
    assert isinstance(load(device="cpu", explain=tmp_path), Model)


def test_weights_of_one_s_own_run_in_pytorch_and_never_silently(own_weights):
    assert isinstance(load(device="cpu", model=own_weights), Model)
    with pytest.raises(UsageError, match=r"--engine onnx: .*mine\.safetensors is not for ONNX Runtime: fer export"):
        load(device="cpu", model=own_weights, engine="onnx")


def test_onnx_runtime_is_not_for_another_device():
    with pytest.raises(UsageError, match="--engine onnx runs on the CPU, not on cuda: leave one out"):
        load(device="cuda", engine="onnx")


@pytest.mark.skipif(sys.platform == "darwin", reason="an Apple chip may always have a GPU")
def test_pytorch_is_asked_for_a_device_only_where_there_may_be_another(monkeypatch):
    def pick(_):
        raise AssertionError("PyTorch was asked")

    monkeypatch.setattr("fercli.training.device.pick_device", pick)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert pipeline.choose_device(PredictOptions()) == "cpu"
    assert pipeline.choose_device(PredictOptions(device="cpu")) == "cpu"
    with pytest.raises(AssertionError, match="PyTorch was asked"):
        pipeline.choose_device(PredictOptions(device="cuda"))
    monkeypatch.setattr(pipeline, "may_have_gpu", lambda: True)
    with pytest.raises(AssertionError, match="PyTorch was asked"):
        pipeline.choose_device(PredictOptions())
