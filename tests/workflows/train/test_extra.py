"""`fer train --extra`: which faces of another set are trained on, and what is new to the network afterwards."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.core.errors import DataError, RunError, UsageError
from fercli.core.progress import SILENT
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.data.splits import split_extra
from fercli.models.weights import read_header
from fercli.training.loop import Faces
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import Extra, append_faces, draw_split, load_extra, load_training_faces, prepare_data
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import start_run
from fercli.workflows.train.settings import resolve_config

OWN = replace(cartoon(5, 1), name="own")
OTHER = replace(cartoon(12, 2, seed=1), name="other")
CLASSES = OWN.classes


@pytest.fixture
def files(tmp_path):
    write_faces(tmp_path / "own.safetensors", OWN)
    write_faces(tmp_path / "other.safetensors", OTHER)
    return tmp_path


def config(folder, most=None, **changes):
    own, extra = (str(folder / f"{name}.safetensors") for name in ("own", "other"))
    options = {"recipe": "quick", "data": own, "device": "cpu", "group": "image", "epochs": 1, "extra": extra}
    return resolve_config(TrainOptions(**{**options, "recipe_settings": {"max_extra_per_class": most}, **changes}))


def load(config):
    faces, extra = load_training_faces(config, SILENT)
    return prepare_data(config, faces, draw_split(config, faces), torch.device("cpu"), SILENT, extra=extra)


def evaluate_run(path: Path, **options: object):
    """What `fer eval` measures of a run."""
    return evaluate(EvaluateOptions(model=str(path), **options))


def test_its_training_split_is_trained_on_and_its_test_split_stays_new(files):
    run = RunFolder(start_run(config(files), files / "run").folder)
    expected = split_extra(OTHER)
    meta = json.loads(run.meta.read_text())
    assert meta["extra"]["faces"] == (expected == "train").sum() > 0
    assert meta["data"]["faces"]["train"] + meta["data"]["faces"]["val"] + meta["data"]["faces"]["test"] == len(OWN)
    assert read_header(run.weights).training["extra"] == meta["extra"]
    # its own set is measured unless another one is asked for
    assert evaluate_run(run.path).data == OWN.name
    measured = evaluate_run(run.path, data=str(files / "other.safetensors"))
    assert (measured.split, measured.scores.faces) == ("test", (expected == "test").sum())
    assert not any("trained on these faces" in note for note in measured.notes)
    known = evaluate_run(run.path, data=str(files / "other.safetensors"), split="train")
    assert any("trained on these faces" in note for note in known.notes)
    # a set of that name that is not quite the same has no split that is known to be new
    write_faces(files / "other.safetensors", OTHER.select(np.arange(len(OTHER)) > 0))
    with pytest.raises(RunError, match="is not quite what"):
        evaluate_run(run.path, data=str(files / "other.safetensors"))
    assert evaluate_run(run.path, data=str(files / "other.safetensors"), split="all").scores.faces == len(OTHER) - 1


def test_more_faces_make_longer_epochs(files):
    alone, both = (load(config(files, extra=extra)) for extra in (None, str(files / "other.safetensors")))
    assert len(both.train) == len(alone.train) + (split_extra(OTHER) == "train").sum()
    assert torch.equal(both.train.images[: len(alone.train)], alone.train.images)
    assert torch.equal(both.val.images, alone.val.images)


def test_pictures_that_validate_or_test_are_left_out():
    splits = np.array((["train", "val", "test", "spare"] * len(OWN))[: len(OWN)])
    extra = Extra(replace(OWN, name="other"), {})
    kept = extra.without(OWN, splits)
    # a duplicate in train or spare is no leak
    assert set(kept.ids) == {face for face, split in zip(OWN.ids, splits, strict=True) if split in ("train", "spare")}


def test_labels_go_by_the_names_of_classes(files):
    # the other set has its classes the other way round, and one that nobody else knows instead of neutral
    turned = (*reversed(CLASSES[:-1]), "contempt")
    labels = np.array([turned.index(CLASSES[label]) if label < 6 else 6 for label in OTHER.labels])
    write_faces(files / "other.safetensors", OTHER.relabel(labels, turned))
    extra = load_extra(config(files), CLASSES)
    assert extra is not None
    truth = dict(zip(OTHER.ids, OTHER.labels.tolist(), strict=True))
    assert extra.faces.classes == CLASSES
    assert [truth[face] for face in extra.faces.ids] == extra.faces.labels.tolist()
    assert set(extra.faces.labels.tolist()) == set(range(6))


def test_no_more_of_each_class_than_asked_for(files):
    everything, few, again, plenty = (
        load_extra(config(files, most, seed=seed), CLASSES) for most, seed in ((None, 0), (3, 5), (3, 6), (1000, 0))
    )
    assert everything is not None
    assert few is not None
    assert again is not None
    assert plenty is not None
    assert (np.bincount(few.faces.labels, minlength=7) == 3).all()
    assert set(few.faces.ids) < set(everything.faces.ids)
    assert few.record["faces"] == len(few.faces)
    # drawn rather than the first of each class, the same ones whatever the run's seed
    labels, ids = everything.faces.labels, np.array(everything.faces.ids)
    assert set(few.faces.ids) != {face for label in range(7) for face in ids[labels == label][:3]}
    assert again.faces.ids == few.faces.ids
    assert plenty.faces.ids == everything.faces.ids


def test_nothing_in_common(files):
    write_faces(files / "other.safetensors", OTHER.relabel(OTHER.labels, tuple("abcdefg")))
    with pytest.raises(DataError, match="none of its training faces is angry"):
        load_extra(config(files), CLASSES)


def test_targets_of_extra_faces_are_their_labels():
    images = torch.from_numpy(OWN.images)
    soft = torch.full((len(OWN), 7), 1 / 7)
    both = append_faces(Faces(images, torch.from_numpy(OWN.labels), soft), OTHER)
    assert both.targets is not None
    assert torch.equal(both.targets[: len(OWN)], soft)
    assert torch.equal(both.targets[len(OWN) :].argmax(1), torch.from_numpy(OTHER.labels))
    assert append_faces(Faces(images, torch.from_numpy(OWN.labels)), OTHER).targets is None


def test_a_bound_on_an_extra_set_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"max_extra_per_class bounds .* name one with --extra SET"):
        resolve_config(TrainOptions(recipe="quick", recipe_settings={"max_extra_per_class": 3}))
