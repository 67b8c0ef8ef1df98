"""Labels under suspicion: a real cross-validation of a few drawn faces, and the check that takes its probabilities."""

import csv
from dataclasses import replace

import numpy as np

from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.workflows.check.out_of_fold import predict_out_of_fold
from fercli.workflows.check.report import write_csv, write_suspects
from fercli.workflows.check.run import CheckOptions, check_faces


def test_every_face_is_judged_by_a_network_that_did_not_learn_from_it(tmp_path):
    path = tmp_path / "few.safetensors"
    write_faces(path, replace(cartoon(6, 1), name="few"))
    first = predict_out_of_fold(str(path), model="xu-rescnn", epochs=1, out=tmp_path / "folds", jobs=1)
    assert first.shape == (42, 7)
    assert np.allclose(first.sum(axis=1), 1)
    stamp = (tmp_path / "folds/crossval.json").stat().st_mtime_ns
    runs = sorted(file.stat().st_mtime_ns for file in (tmp_path / "folds").rglob("model.safetensors"))
    again = predict_out_of_fold(str(path), model="xu-rescnn", epochs=1, out=tmp_path / "folds", jobs=1)
    assert np.array_equal(first, again)
    assert sorted(file.stat().st_mtime_ns for file in (tmp_path / "folds").rglob("model.safetensors")) == runs
    assert (tmp_path / "folds/crossval.json").stat().st_mtime_ns >= stamp


def test_doubted_labels_are_a_fault_with_what_they_are_taken_for(tmp_path):
    faces = cartoon(20, 1)
    probabilities = np.full((140, 7), 0.02)
    probabilities[np.arange(140), faces.labels] = 0.88
    probabilities[3] = [0.9 if name == "happy" else 0.1 / 6 for name in faces.classes]
    faces.labels[3] = faces.classes.index("sad")
    result = check_faces(faces, CheckOptions(near_duplicates=False), probabilities=probabilities)
    (issue,) = [issue for issue in result.issues if issue.kind == "labels"]
    assert issue.groups[0].tolist() == [3]
    assert issue.remarks == ("happy 90%, sad 2%",)
    write_csv(tmp_path / "faults.csv", result)
    with (tmp_path / "faults.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["fault"] == "labels"]
    assert [(row["id"], row["label"], row["remark"]) for row in rows] == [(faces.ids[3], "sad", "happy 90%, sad 2%")]
    write_suspects(tmp_path / "sheet.png", result)
    assert (tmp_path / "sheet.png").stat().st_size > 1000
