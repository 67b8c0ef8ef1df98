"""Nothing that a member of an ensemble was trained on is measured as new."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.core.errors import DataError, RunError
from fercli.data.cartoon import cartoon
from fercli.data.splits import assign_splits, split_digest
from fercli.models.catalogue import build_model
from fercli.models.load import Model
from fercli.models.weights import Header, ensemble_header, save_weights
from fercli.workflows.evaluate.data import find_splits
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate

FACES = cartoon()


def header(seed: int, **changes: object) -> Header:
    """The header of a network trained on the drawn faces, split from this seed."""
    made = assign_splits(FACES, seed)
    training = {"data": FACES.name, "fingerprint": FACES.fingerprint, "seed": seed, "group": "auto"}
    training |= {"val_fraction": None, "split": split_digest(FACES, made), **changes}
    return Header("lenet", "lenet", {}, {}, FACES.classes, training=training)


def average(*headers: Header) -> Model:
    return Model(torch.nn.Identity(), ensemble_header(headers), torch.device("cpu"), Path("a+b"))


ELSEWHERE = header(0, data="elsewhere", fingerprint="other")


def test_members_of_one_split_are_measured_on_it():
    splits = find_splits(FACES, average(header(3), header(3), ELSEWHERE))
    assert np.array_equal(splits, assign_splits(FACES, 3))


def test_a_split_by_the_plain_fractions_is_known_again():
    """Those of a built FERGIT that was trained on as a path."""
    faces = replace(FACES, fractions=(0.05, 0.05))
    assert np.array_equal(find_splits(faces, average(header(3), header(3))), assign_splits(FACES, 3))
    assert not np.array_equal(assign_splits(faces, 3), assign_splits(FACES, 3))


def test_members_of_different_splits_have_no_split_that_is_new_to_all():
    model = average(header(3), header(4))
    with pytest.raises(RunError, match="different splits of cartoon"):
        find_splits(FACES, model)
    assert set(find_splits(FACES, model, "all")) == {"all"}


def test_a_set_that_no_member_knows_is_all_new():
    assert set(find_splits(FACES, average(ELSEWHERE, ELSEWHERE))) == {"all"}
    own = replace(FACES, splits=np.where(np.arange(len(FACES)) < 500, "train", "test"))
    assert (find_splits(own, average(ELSEWHERE, ELSEWHERE)) == "test").sum() == 200


def test_an_ensemble_is_evaluated_on_what_all_of_it_was_trained_on(tmp_path):
    for name, made in (("a", header(3)), ("b", header(3)), ("c", ELSEWHERE)):
        save_weights(tmp_path / f"{name}.safetensors", build_model("lenet").state_dict(), made)
    a, b, c = (str(tmp_path / f"{name}.safetensors") for name in "abc")
    result = evaluate(EvaluateOptions(model=f"{a}+{b}", device="cpu"))
    assert (result.data, result.split, result.scores.faces) == ("cartoon", "test", 70)
    assert any("ensemble" in note for note in result.notes)
    with pytest.raises(DataError, match="was trained on cartoon and elsewhere: say where it lies with --data"):
        evaluate(EvaluateOptions(model=f"{a}+{c}", device="cpu"))
