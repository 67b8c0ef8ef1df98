"""A training that starts from a trained network: its weights, its head by names of classes, and what is recorded."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fercli.core.errors import ModelError, RunError, UsageError
from fercli.core.progress import Progress
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.data.splits import read_split
from fercli.models.catalogue import build_model
from fercli.models.classifier import logits
from fercli.models.load import load_model
from fercli.models.start import take_weights
from fercli.models.weights import read_header
from fercli.workflows.run_folder import read_config
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train
from fercli.workflows.train.settings import resolve_config


@pytest.fixture
def data(tmp_path):
    """Drawn faces in a file."""
    path = tmp_path / "faces.safetensors"
    write_faces(path, replace(cartoon(20, 1), name="own"))
    return path


def start(data, out, **options):
    return train(TrainOptions(data=str(data), out=out, device="cpu", epochs=1, **options))


def build_sizes(count: int):
    with torch.device("meta"):
        return [build_model("xu-rescnn", classes=number) for number in (count, count + 1)]


@pytest.mark.parametrize(
    ("classes", "known"),
    [
        (("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), 7),
        (("neutral", "happy", "bored"), 2),
        (("bored", "keen"), 0),
    ],
)
def test_all_weights_are_taken_and_the_head_by_the_names_of_classes(classes, known):
    source, network = load_model("xu-rescnn"), build_model("xu-rescnn", classes=len(classes))
    drawn = {name: value.clone() for name, value in network.state_dict().items()}
    assert take_weights(network, source, classes, build_sizes(len(classes))) == known
    faces = torch.from_numpy(cartoon(2, 1).images)
    with torch.no_grad():
        ours, theirs = network.eval()(faces), source.network(faces)
    for new, name in enumerate(classes):
        if name in source.classes:
            torch.testing.assert_close(ours[:, new], theirs[:, source.classes.index(name)])
    taken, given = network.state_dict(), source.network.state_dict()
    same = [name for name, value in taken.items() if value.shape == given[name].shape]
    assert len(same) >= len(drawn) - 2
    if len(classes) != 7:
        assert all(torch.equal(taken[name], given[name]) for name in same)


def test_a_run_starts_where_the_other_network_is(data, tmp_path):
    """With a rate of nothing it stays there, the statistics of its norms too, unless they are to be trained."""
    theirs = load_model("xu-rescnn").network.state_dict()
    for kept in (True, False):
        options = {} if kept else {"recipe_settings": {"freeze_batchnorm": False}}
        result = start(data, tmp_path / f"run-{kept}", start_from="xu-rescnn", lr=1e-12, **options)
        for name, value in load_model(str(result.folder)).network.state_dict().items():
            if value.is_floating_point() and "running" not in name:
                torch.testing.assert_close(value, theirs[name], rtol=0, atol=1e-6)
            else:
                assert torch.equal(value, theirs[name]) == kept, name


def test_how_well_the_start_does_on_validation_is_told(data, tmp_path):
    told: list[str] = []

    class Told(Progress):
        def say(self, message):
            told.append(message)

    options = TrainOptions(data=str(data), out=tmp_path / "run", device="cpu", epochs=1, start_from="xu-rescnn")
    folder = train(options, Told()).folder
    drawn = cartoon(20, 1)
    val = drawn.select(read_split(folder / "split.csv", drawn) == "val")
    right = logits(load_model("xu-rescnn").network, torch.from_numpy(val.images)).argmax(1).numpy() == val.labels
    (line,) = [message for message in told if message.startswith("starting from")]
    assert line.endswith(f"as it is, it is right on {right.sum()} of {len(val)} validation faces")


def test_model_and_recipe_follow_and_the_start_is_recorded(data, tmp_path):
    first = start(data, tmp_path / "first", start_from="xu-rescnn")
    header = read_header(first.folder / "model.safetensors")
    assert (header.model, header.training["recipe"]) == ("xu-rescnn", "finetune")
    assert header.training["start"]["model"] == "xu-rescnn"
    assert header.data_sets[1:] == ("fer2013", "muxspace")
    second = start(data, tmp_path / "second", start_from=str(first.folder), seed=1)
    behind = read_header(second.folder / "model.safetensors").trainings
    assert [training["data"] for training in behind] == ["own", "own", "fer2013"]
    resumed = (tmp_path / "second" / "config.yaml").read_text()
    assert f"start_from: {first.folder / 'model.safetensors'}" in resumed


def test_a_varied_network_is_trained_resumed_and_started_from(data, tmp_path):
    varied = {"arguments.width": 0.5, "arguments.gated": "none"}
    result = train(TrainOptions(data=str(data), out=tmp_path / "run", epochs=1, device="cpu", recipe_settings=varied))
    changed = {"width": 0.5, "gated": "none"}
    assert read_config(result.folder / "config.yaml").arguments == changed
    model = load_model(str(result.folder))
    assert changed.items() <= model.header.arguments.items()
    assert len(model.network.body[0].weight) == 8
    (result.folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"arguments\.width: 0\.5, 1"):
        train(TrainOptions(out=result.folder, resume=True, recipe_settings={"arguments.width": 1}))
    further = start(data, tmp_path / "further", start_from=str(result.folder))
    assert read_config(further.folder / "config.yaml").arguments == changed


def test_frozen_layers_keep_weights_and_statistics(data, tmp_path):
    """And so they do in a run that repeats this one, or resumes it."""
    # numbers, as YAML reads --set frozen=[0,1]
    frozen = {"recipe_settings": {"frozen": [*range(8)], "freeze_batchnorm": False}}
    first = start(data, tmp_path / "first", start_from="xu-rescnn", **frozen)
    config = first.folder / "config.yaml"
    again = train(TrainOptions(config=config, out=tmp_path / "again"))
    theirs = load_model("xu-rescnn").network.state_dict()
    for run in (first, again):
        ours = load_model(str(run.folder)).network.state_dict()
        same = {name for name, value in ours.items() if torch.equal(value, theirs[name])}
        assert {name for name in ours if name.split(".")[1] in [*"01234567"]} == same, "norms' statistics too"
    made = read_config(config)
    assert made.recipe.frozen == tuple("01234567")
    for options in ({}, {"start_from": "xu-rescnn"}, {"start_from": "xu-rescnn", **frozen}):
        assert resolve_config(TrainOptions(**options), base=made).differences(made) == []


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"pretrained": "start-from"}, "name it with --start-from MODEL"),
        ({"frozen": ["0"]}, "drawn at random must not be frozen"),
    ],
)
def test_nothing_to_start_from_is_told(data, tmp_path, recipe, told):
    with pytest.raises(UsageError, match=told):
        start(data, tmp_path / "run", model="xu-rescnn", recipe_settings=recipe)


def test_a_repeated_run_can_start_from_scratch(data, tmp_path):
    first = start(data, tmp_path / "first", start_from="xu-rescnn", recipe_settings={"frozen": [0]})
    again = train(TrainOptions(config=first.folder / "config.yaml", out=tmp_path / "again", pretrained=False))
    config = read_config(again.folder / "config.yaml")
    assert (config.start_from, config.recipe.pretrained, config.recipe.frozen) == (None, "none", ())


def test_new_classes_are_told_and_learned(tmp_path):
    faces = cartoon(20, 1)
    merged = faces.relabel(np.minimum(faces.labels, 2), ("calm", "keen", "fear"))
    write_faces(tmp_path / "own.safetensors", replace(merged, name="own"))
    lines: list[str] = []

    class Told(Progress):
        def say(self, text):
            lines.append(text)

    result = train(
        TrainOptions(data=str(tmp_path / "own.safetensors"), out=tmp_path / "run", epochs=1, start_from="xu-rescnn"),
        Told(),
    )
    assert any("2 of 3 classes are new to it" in line for line in lines)
    assert load_model(str(result.folder)).classes == ("calm", "keen", "fear")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        (
            {"start_from": "vgg14", "model": "xu-rescnn"},
            ModelError,
            "is another kind of network .vgg14.: leave",
        ),
        ({"start_from": "vgg14+xu-rescnn"}, UsageError, "one network, not an average"),
        ({"start_from": "vgg41"}, ModelError, "no model 'vgg41'"),
        ({"start_from": "lenet"}, ModelError, "no weights ship for lenet"),
        ({"start_from": "xu-rescnn", "pretrained": False}, UsageError, "leave --no-pretrained out"),
        ({"start_from": "net.onnx"}, UsageError, "an exported network is not trained further"),
    ],
)
def test_what_cannot_be_started_from_is_told(data, tmp_path, monkeypatch, options, error, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(error, match=told):
        start(data, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_small_set_is_learned_better_from_a_trained_network(tmp_path):
    write_faces(tmp_path / "own.safetensors", replace(cartoon(20, 1), name="own"))
    options = {"data": str(tmp_path / "own.safetensors"), "device": "cpu", "epochs": 4, "recipe": "finetune"}
    own = train(TrainOptions(start_from="xu-rescnn", out=tmp_path / "run", **options))
    plain = train(TrainOptions(model="xu-rescnn", pretrained=False, out=tmp_path / "plain", **options))
    accuracies = [result.evaluations[0].scores.accuracy for result in (own, plain)]
    assert accuracies[0] > accuracies[1] + 0.2
