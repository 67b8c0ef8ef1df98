"""`fer crossval --data ckplus`, as the papers measure on it, on a small made set of its naming."""

import csv
import json
from collections import defaultdict

import pytest


@pytest.mark.usefixtures("without_pictures")
def test_by_image_and_by_person(fer, write_ck_plus, tmp_path):
    labels = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    write_ck_plus(tmp_path / "sets/CK+48", subjects=9, sequences=dict.fromkeys(labels, 3))
    code, out, err = fer(
        "crossval", "--data", "ckplus", "--root", tmp_path / "sets", "--folds", 3, "--runs", 1, "--epochs", 1,
        "--group", "both", "--model", "lenet", "--recipe", "quick", "--jobs", 1, "--device", "cpu", "--out", "cv",
        "--json",
    )  # fmt: skip
    assert code == 0, err
    assert "9 subjects in 21 sequences" in err
    assert "the same people are in training and test" in err
    document = json.loads(out)
    assert [series["group"] for series in document["series"]] == ["image", "subject"]
    folds = json.loads((tmp_path / "cv/folds.json").read_text())
    for grouping, together in (("image", False), ("subject", True)):
        groups = defaultdict(set)
        for face, (group,) in folds[grouping].items():
            groups[face.split("/")[1][:4]].add(group)
        assert len(groups) == 9
        assert all(len(group) == 1 for group in groups.values()) == together
        rows = list(csv.DictReader((tmp_path / f"cv/{grouping}/lenet/predictions.csv").read_text().splitlines()))
        assert len({row["id"] for row in rows}) == len(rows) == 63
        assert {row["label"] for row in rows} == {"angry", "disgust", "fear", "happy", "sad", "surprise", "contempt"}
