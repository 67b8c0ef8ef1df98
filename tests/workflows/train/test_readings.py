"""Trainings on sets read in other ways: FER+ votes, leaks dropped, people from names; and sets of other classes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, RunError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import SILENT, Progress
from fercli.data.cartoon import cartoon
from fercli.data.load import load_faces
from fercli.data.loaders.face_file import write_faces
from fercli.data.splits import assign_splits, write_split
from fercli.models.load import load_model
from fercli.models.weights import read_header
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.plan import draw_groups, read_folds, write_folds
from fercli.workflows.crossval.settings import resolve_crossval
from fercli.workflows.evaluate.data import match_classes
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import load_training_faces
from fercli.workflows.train.job import check_origin, describe_origin
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import resume_run, start_run
from fercli.workflows.train.settings import resolve_config

FILE_ORDER = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """FER2013 of 84 + 21 faces with FER+ votes; the first of val is a picture of train; of two others in train one is
    'not a face', and one has no majority."""
    images = np.random.default_rng(0).integers(0, 256, (105, 2304))
    images[84] = images[0]
    lines, votes = ["emotion,pixels,Usage"], [HEADER]
    for number, image in enumerate(images):
        usage = "Training" if number < 84 else "PublicTest"
        lines.append(f"{number % 7},{' '.join(map(str, image))},{usage}")
        row = [8 * (EXPRESSIONS[number % 7] == name) + 2 * (name == "neutral") for name in FILE_ORDER]
        counts = {5: [0] * 9 + [10], 6: [4, 3, 3] + [0] * 7}.get(number, [*row, 0, 0, 0])
        votes.append(f"{usage},,{','.join(map(str, counts))}")
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/fer2013.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "sets/fer2013new.csv").write_text("\n".join(votes) + "\n")
    return tmp_path / "sets"


class Ears(Progress):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)


def config(root: Path, load_options: dict[str, object] | None = None, **changes: object):
    options = {"model": "lenet", "recipe": "quick", "data": "fer2013", "device": "cpu", "epochs": 1, "root": root}
    return resolve_config(TrainOptions(**{**options, "load_options": LoadOptions(**(load_options or {})), **changes}))


def evaluate_run(path: Path, **options: object):
    """What `fer eval` measures of a run."""
    return evaluate(EvaluateOptions(model=str(path), **options))


def test_votes_are_trained_on_and_evaluated_by(root, tmp_path):
    run = RunFolder(start_run(config(root, {"labels": "ferplus-soft"}), tmp_path / "run").folder)
    assert json.loads(run.meta.read_text())["data"]["faces"] == {"train": 83, "val": 21}
    header = read_header(run.weights)
    assert header.training["reading"] == {"labels": "ferplus-soft"}
    assert header.training["set"] == "fer2013"
    assert evaluate_run(run.path).data == "fer2013+ferplus-soft"
    # weights away from their run read the same data the same way
    shared = tmp_path / "shared.safetensors"
    shared.write_bytes(run.weights.read_bytes())
    alone = evaluate_run(shared, root=root)
    assert (alone.data, alone.scores.faces) == ("fer2013+ferplus-soft", 21)
    plain = evaluate_run(shared, data="fer2013", root=root)
    assert (plain.data, plain.scores.faces) == ("fer2013", 21)


def test_probabilities_change_what_is_learned(root, tmp_path):
    losses = set()
    for labels in ("ferplus", "ferplus-soft"):
        run = RunFolder(start_run(config(root, {"labels": labels}), tmp_path / labels).folder)
        losses.add(run.history.read_text().splitlines()[1].split(",")[2])
    assert len(losses) == 2


def test_a_run_begun_when_ferplus_was_a_plurality_says_how_to_go_on(root, tmp_path):
    now, then = (config(root, {"labels": labels}) for labels in ("ferplus", "ferplus-plurality"))
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.write_config(now)
    faces, _ = load_training_faces(then, SILENT)
    origin = describe_origin(then, faces, None, torch.device("cpu"))
    run.meta.write_text(json.dumps(origin))
    write_split(run.split, faces, assign_splits(faces, 0))
    with pytest.raises(
        RunError, match=r"another data .* 'ferplus' are 'ferplus-plurality' now: say that in its config"
    ):
        resume_run(run, now)
    check_origin(run, origin, faces)


def test_weights_of_other_votes_say_so(root, tmp_path):
    run = start_run(config(root, {"labels": "ferplus"}), tmp_path / "run").folder
    assert not any("ferplus-plurality" in note for note in evaluate_run(run).notes)
    votes = root / "fer2013new.csv"
    votes.write_text(votes.read_text().replace("Training,,4,3,3", "Training,,6,3,1"))
    assert any(
        "not quite what the network was trained on" in note and "'ferplus-plurality' now" in note
        for note in evaluate_run(run).notes
    )


def test_groups_of_other_votes_say_so(root, tmp_path):
    then, now = (load_faces("fer2013", root, LoadOptions(labels=labels)) for labels in ("ferplus-plurality", "ferplus"))
    protocol = resolve_crossval(CrossvalOptions(data="fer2013", folds=3, group="image"))
    write_folds(tmp_path / "folds.json", protocol, then, draw_groups(protocol, then))
    with pytest.raises(RunError, match=r"another --out; .* 'ferplus-plurality' now: say that in crossval\.yaml"):
        read_folds(tmp_path / "folds.json", now)


def test_leaks_are_told_of_and_dropped(root, tmp_path):
    ears = Ears()
    kept = start_run(config(root), tmp_path / "kept", progress=ears).folder
    assert any(text.startswith("note: 1 of 21 val faces are in train too") for text in ears.heard)
    assert "note: only 21 validation faces: which epoch is best depends on chance" in ears.heard
    assert any("1 of 21 val faces" in note for note in evaluate_run(kept).notes)
    ears = Ears()
    run = RunFolder(start_run(config(root, drop_leaks=True), tmp_path / "run", progress=ears).folder)
    assert "left 1 face out of training whose picture stands in val or test too" in ears.heard
    assert "Training_0,angry,dropped" in run.split.read_text()
    assert not any("val faces stand" in note for note in evaluate_run(run.path).notes)
    shared = tmp_path / "shared.safetensors"
    shared.write_bytes(run.weights.read_bytes())
    assert evaluate_run(shared, root=root, split="train").scores.faces == 83


def test_other_classes_are_measured_where_both_know_them():
    model = load_model(None)
    faces = cartoon()
    fewer = faces.select(faces.labels < 4).relabel(
        faces.labels[faces.labels < 4], ("angry", "disgust", "contempt", "happy")
    )
    with pytest.raises(DataError) as fault:
        match_classes(fewer, model)
    for part in ("angry, disgust, contempt, happy", ", ".join(EXPRESSIONS), "--shared-classes measures the 3"):
        assert part in str(fault.value)
    kept = match_classes(fewer, model, shared=True)
    assert kept.classes == ("angry", "disgust", "happy")
    assert len(kept) == 300
    assert "100 faces of others left out" in kept.notes[-1]
    with pytest.raises(DataError, match="1 in common, too few"):
        match_classes(fewer.relabel(fewer.labels, ("angry", "x", "y", "z")), model, shared=True)


def test_among_shared_classes_the_network_chooses_these_alone(tmp_path):
    faces = cartoon()
    chosen = faces.labels < 2
    pair = faces.select(chosen).relabel(faces.labels[chosen], ("angry", "disgust"))
    write_faces(tmp_path / "pair.safetensors", replace(pair, name="pair"))
    result = evaluate(EvaluateOptions(data=str(tmp_path / "pair.safetensors"), shared_classes=True))
    assert result.scores.classes == ("angry", "disgust")
    assert result.predictions.probabilities.shape == (200, 2)
    assert np.allclose(result.predictions.probabilities.sum(axis=1), 1)
    assert result.scores.faces == 200


def test_load_options_are_kept_with_the_settings(root, tmp_path):
    chosen = config(root, {"labels": "ferplus", "subjects": "who.csv"})
    assert chosen.load_options == LoadOptions(labels="ferplus", subjects=str(Path("who.csv").absolute()))
    assert "reading.labels: ferplus, own" in chosen.differences(config(root, {"subjects": "who.csv"}))


def test_a_set_that_shares_faces_with_the_training_s_is_no_test(root, tmp_path):
    run = start_run(config(root), tmp_path / "run").folder
    both = replace(load_faces("fer2013", root), name="fergit", splits=None)
    write_faces(root / "fergit.safetensors", both)
    assert any(
        "trained on fer2013, which shares faces with fergit" in note
        for note in evaluate_run(run, data="fergit", root=root).notes
    )
