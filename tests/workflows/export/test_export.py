"""Exports: every network of the catalogue, every format, run again and compared; and what is refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from fercli.core.errors import DataError, ModelError, RunError, UsageError
from fercli.data.cartoon import cartoon
from fercli.data.splits import assign_splits
from fercli.metrics.calibration import fit_temperature
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.export.graph import PT2_METADATA
from fercli.models.load import load_model
from fercli.models.weights import Header, save_weights
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.export.run import export
from fercli.workflows.export.verify import Accuracy, Check

FACES = cartoon(subjects=2).images[:9]
TEMPERATURE = {"single": 1.7, "mirrored": 1.5}


def untrained(path: Path, name: str = "lenet") -> str:
    """A weights file of a catalogue entry's network as it starts; its name."""
    torch.manual_seed(1)
    entry = load_catalogue()[name]
    header = Header(
        name, entry.architecture, entry.arguments, entry.input.model_dump(), entry.classes, TEMPERATURE,
        {"data": "fer2013"}, {"val": {"single": 0.5}},
    )  # fmt: skip
    save_weights(path, build_model(name).state_dict(), header)
    return str(path)


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> str:
    return untrained(tmp_path_factory.mktemp("weights") / "lenet.safetensors")


@pytest.fixture(scope="module")
def exported(lenet: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LeNet as an ONNX file."""
    return export(lenet, output=tmp_path_factory.mktemp("exported") / "lenet.onnx", seconds=0).path


def test_the_file_says_what_it_is(exported):
    session = InferenceSession(exported)
    (given,), (logits, probabilities) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("faces", ["N", 1, 48, 48], "tensor(uint8)")
    assert (logits.name, probabilities.name, logits.shape) == ("logits", "probabilities", ["N", 7])
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == list(cartoon().classes)
    assert about.keys() == {"fercli", "model", "version", "classes", "input", "outputs", "framing", "margin"}
    assert json.loads(about["fercli"])["training"] == {"data": "fer2013"}
    assert json.loads(about["fercli"])["metrics"] == {"val": {"single": 0.5}}
    proto = onnx.load(exported)
    onnx.checker.check_model(proto, full_check=True)
    assert str(Path(__file__).parents[2]).encode() not in exported.read_bytes()
    assert {entry.version for entry in proto.opset_import if not entry.domain} == {20}


def test_temperature_and_softmax_are_inside(exported):
    logits, probabilities = InferenceSession(exported).run(None, {"faces": FACES})
    wanted = torch.softmax(torch.from_numpy(logits) / TEMPERATURE["single"], 1).numpy()
    np.testing.assert_allclose(probabilities, wanted, atol=1e-6)


def test_float_faces_give_the_same(lenet, exported, tmp_path):
    path = export(lenet, output=tmp_path / "float.onnx", input_type="float32", seconds=0).path
    whole = InferenceSession(exported).run(None, {"faces": FACES})
    for one, other in zip(InferenceSession(path).run(None, {"faces": FACES.astype(np.float32)}), whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(load_model(str(path)).logits(FACES), whole[0], atol=1e-6)


def test_faces_of_another_size_are_refused_by_the_graph(exported):
    with pytest.raises(InvalidArgument, match="Expected: 48"):
        InferenceSession(exported).run(None, {"faces": np.zeros((2, 1, 50, 48), np.uint8)})
    with pytest.raises(ValueError, match="not uint8"):
        load_model(str(exported)).logits(np.zeros((2, 1, 50, 48), np.uint8))


def test_a_report_stands_beside_the_file(exported):
    report = json.loads(exported.with_name("lenet.onnx.json").read_text())
    assert report["bytes"] == exported.stat().st_size
    assert report["milliseconds"].keys() == {"1", "64"}
    assert report["milliseconds"]["64"].keys() == {"pytorch", "exported"}
    assert report["largest_difference"] <= 1e-4
    assert report["accuracy"] is None
    assert {"onnx", "onnxruntime", "torch"} <= report["versions"].keys()


def test_evaluating_an_exported_file_is_evaluating_its_network(lenet, exported):
    before, after = (
        evaluate(EvaluateOptions(model=str(path), data="cartoon", device="cpu", tta=True)) for path in (lenet, exported)
    )
    np.testing.assert_allclose(after.predictions.probabilities, before.predictions.probabilities, atol=1e-5)
    assert after.temperature == TEMPERATURE["mirrored"]


def test_pt2_is_the_same_and_says_what_it_is(lenet, tmp_path):
    path = export(lenet, "pt2", tmp_path / "lenet.pt2", seconds=0).path
    extra = {PT2_METADATA: ""}
    module = torch.export.load(path, extra_files=extra).module()
    assert json.loads(extra[PT2_METADATA])["model"] == "lenet"
    faces = torch.from_numpy(FACES)
    wanted = load_model(lenet).probabilities(FACES)
    np.testing.assert_allclose(module(faces)[1].detach().numpy(), wanted, atol=1e-5)
    with pytest.raises(ModelError, match=r"is for torch\.export\.load"):
        load_model(str(path))


def test_safetensors_are_the_weights_and_their_header(lenet, tmp_path):
    path = export(lenet, output=tmp_path / "copy.safetensors", seconds=0).path
    assert load_model(str(path)).header == load_model(lenet).header
    assert np.array_equal(load_model(str(path)).logits(FACES), load_model(lenet).logits(FACES))


def test_half_precision_is_half_the_size_and_nearly_the_same(lenet, tmp_path):
    done = export(lenet, "safetensors-half", tmp_path / "half.safetensors", data="cartoon", seconds=0)
    assert 0.45 < done.size / Path(lenet).stat().st_size < 0.55
    assert done.check.accuracy.faces == 70
    half = load_model(str(done.path))
    assert half.header == load_model(lenet).header
    assert {value.dtype for value in half.network.state_dict().values() if value.is_floating_point()} == {torch.float32}
    rounded, whole = half.probabilities(FACES), load_model(lenet).probabilities(FACES)
    np.testing.assert_allclose(rounded, whole, atol=5e-3)
    assert not np.array_equal(rounded, whole)


def test_half_precision_of_what_it_cannot_hold_is_refused(tmp_path):
    weights = untrained(tmp_path / "net.safetensors")
    state = load_model(weights).network.state_dict()
    name = next(name for name in state if name.endswith("weight"))
    save_weights(Path(weights), {**state, name: state[name] * 1e6}, load_model(weights).header)
    with pytest.raises(ModelError, match="no longer numbers"):
        export(weights, "safetensors-half", tmp_path / "half.safetensors", seconds=0)
    assert not (tmp_path / "half.safetensors").exists()


def test_an_average_is_one_graph(lenet, tmp_path):
    other = untrained(tmp_path / "other.safetensors", "mini-xception")
    names = f"{lenet}+{other}"
    path = export(names, output=tmp_path / "both.onnx", seconds=0).path
    for mirrored in (False, True):
        one, two = (load_model(name, mirrored=mirrored) for name in (names, str(path)))
        np.testing.assert_allclose(two.probabilities(FACES), one.probabilities(FACES), atol=1e-5)
    assert two.name == "lenet+mini-xception"
    assert "no temperature was fitted" in json.loads((tmp_path / "both.onnx.json").read_text())["remark"]
    assert two.remark
    with pytest.raises(ModelError, match="are part of"):
        load_model(str(path), raw=True)
    with pytest.raises(ModelError, match="has no weights file of its own"):
        export(names, "safetensors", tmp_path / "both.safetensors")


def test_the_temperature_of_an_average_is_fitted_on_val_in_either_views(lenet, tmp_path):
    names = f"{lenet}+{untrained(tmp_path / 'other.safetensors', 'mini-xception')}"
    done = export(names, output=tmp_path / "both.onnx", data="cartoon", seconds=0)
    faces = cartoon()
    val = faces.select(assign_splits(faces, 0) == "val")
    for mirrored, views in ((False, "single"), (True, "mirrored")):
        fitted, without = (load_model(name, mirrored=mirrored) for name in (str(done.path), names))
        wanted = fit_temperature(without.logits(val.images), val.labels)
        assert done.temperature[views] == fitted.temperature == pytest.approx(wanted, rel=1e-3)
        assert fitted.temperature != pytest.approx(without.temperature, rel=1e-3)
        assert not fitted.remark
    probabilities = InferenceSession(done.path).run(["probabilities"], {"faces": FACES})[0]
    np.testing.assert_allclose(load_model(str(done.path)).probabilities(FACES), probabilities, atol=1e-5)
    assert json.loads(done.report.read_text())["temperature"] == done.temperature


def test_a_temperature_is_not_fitted_on_a_test_split(lenet, tmp_path, monkeypatch):
    halves = np.where(np.arange(len(cartoon())) % 2, "train", "test")
    monkeypatch.setattr("fercli.workflows.export.verify.find_splits", lambda *_: halves)
    done = export(f"{lenet}+{lenet}", output=tmp_path / "both.onnx", data="cartoon", seconds=0)
    assert done.check.accuracy.split == "test"
    assert (done.temperature, bool(done.remark)) == ({"single": 1.0, "mirrored": 1.0}, True)


def test_int8_is_calibrated_measured_and_smaller(exported, lenet, tmp_path):
    done = export(lenet, "onnx-int8", tmp_path / "int8.onnx", data="cartoon", max_drop=100, seconds=0)
    assert done.size < exported.stat().st_size / 2
    accuracy = done.check.accuracy
    assert (accuracy.data, accuracy.split, accuracy.faces, done.calibration) == ("cartoon", "val", 70, 512)
    assert len(accuracy.differing) >= abs(accuracy.drop) * 0.7
    kinds = {node.op_type for node in onnx.load(done.path).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert load_model(str(done.path)).header == load_model(lenet).header
    report = json.loads(done.report.read_text())
    assert (report["format"], report["calibration_faces"]) == ("onnx-int8", 512)


@pytest.mark.slow
def test_the_shipped_network_loses_less_than_a_point_in_int8(tmp_path):
    if not os.environ.get("FER_DATA"):
        pytest.skip("FER_DATA does not say where the real data are")
    done = export("xu-rescnn", "onnx-int8", tmp_path / "int8.onnx", data="fer2013", seconds=0)
    accuracy = done.check.accuracy
    assert (accuracy.split, accuracy.faces) == ("val", 3589)
    assert 0 < len(accuracy.differing) < 200
    assert accuracy.drop < 1


def test_a_file_that_loses_too_much_is_left_aside(lenet, tmp_path):
    with pytest.raises(ModelError, match=r"drops by .* more than --max-drop -101: .*refused.onnx has what was made"):
        export(lenet, output=tmp_path / "out" / "net.onnx", data="cartoon", max_drop=-101, seconds=0)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"net.refused.onnx", "net.refused.onnx.json"}
    assert "--max-drop" in json.loads((tmp_path / "out" / "net.refused.onnx.json").read_text())["refused"]


@pytest.mark.parametrize(
    ("off", "exact", "fault"), [(2e-4, True, True), (2e-4, False, False), (9e-5, True, False), (np.nan, True, True)]
)
def test_float32_has_to_be_within_a_ten_thousandth(off, exact, fault):
    assert (Check({"random": {1: 0.0, 64: off}}, None, {}).fault(exact, 1.0) is not None) == fault


def test_every_measured_face_counts():
    accuracy = Accuracy("set", "val", 10, 0.9, 0.9, 0.01, ())
    assert "0.01" in Check({"random": {1: 0.0}}, accuracy, {}).fault(True, 1.0)


def test_what_does_not_fit_is_refused_before_any_work(lenet, exported, tmp_path):
    with pytest.raises(UsageError, match="no format 'onx': did you mean onnx"):
        export(lenet, "onx", tmp_path / "x.onnx")
    with pytest.raises(UsageError, match=r"ends in \.pt2"):
        export(lenet, "pt2", tmp_path / "x.onnx")
    with pytest.raises(UsageError, match="needs real faces to find its ranges with: say which with --data"):
        export(lenet, "onnx-int8", tmp_path / "x.onnx")
    with pytest.raises(UsageError, match="exists already: --force replaces it"):
        export(lenet, "onnx", exported)
    with pytest.raises(ModelError, match="is an exported file"):
        export(str(exported), "onnx", tmp_path / "x.onnx")
    with pytest.raises(UsageError, match="--with-detector"):
        export(lenet, "pt2", tmp_path / "x.pt2", with_detector=True)
    with pytest.raises(ModelError, match="fer train --model bah-basic"):
        export("bah-basic", "onnx", tmp_path / "x.onnx")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        export(lenet, "onnx", tmp_path / "file" / "x.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_set_without_faces_to_calibrate_on_is_refused(lenet, tmp_path, monkeypatch):
    faces = cartoon(subjects=2)
    only = replace(faces, splits=np.full(len(faces), "test"))
    monkeypatch.setattr("fercli.workflows.export.verify.load_faces", lambda *_: only)
    with pytest.raises(DataError, match="has no train split"):
        export(lenet, "onnx-int8", tmp_path / "x.onnx", data="only-test")


def test_a_file_of_another_program_is_refused(tmp_path, exported):
    other = onnx.load(exported)
    del other.metadata_props[:]
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match="holds no fercli header"):
        load_model(str(tmp_path / "other.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ModelError, match="as an ONNX file"):
        load_model(str(tmp_path / "text.onnx"))


def test_an_exported_file_stays_on_the_cpu(exported, monkeypatch):
    from fercli.training import device

    monkeypatch.setattr(device, "pick_device", lambda name: torch.device("cpu" if name == "cpu" else "cuda"))
    assert device.model_device(str(exported), "auto").type == "cpu"
    assert device.model_device(f"xu-rescnn+{exported}", "auto").type == "cpu"
    assert device.model_device("xu-rescnn", "auto").type == "cuda"
    with pytest.raises(UsageError, match="leave --device out"):
        device.model_device(str(exported), "cuda")
    with pytest.raises(ModelError, match="cannot be put on cuda"):
        load_model(str(exported), "cuda")
