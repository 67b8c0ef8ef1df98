"""The check as a whole: what it finds in sets with known issues, in which order, and what --fix leaves."""

import csv
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import UsageError
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.load import SETS, load_faces
from fercli.data.loaders.face_file import read_faces, read_facts, write_faces
from fercli.data.splits import assign_splits
from fercli.workflows.check import issues
from fercli.workflows.check.fix import fix, list_removals
from fercli.workflows.check.issues import KINDS
from fercli.workflows.check.report import write_csv, write_suspects
from fercli.workflows.check.run import Check, CheckOptions, check, check_faces

#: A face a row: picture, split, label. Equal letters are the same picture; e2 is e in other light; k0 and k9 are
#: constant.
ROWS = [
    ("a", "train", 0), ("a", "val", 0),
    ("b", "train", 0), ("b", "train", 1), ("b", "train", 1),
    ("c", "train", 1), ("c", "train", 1),
    ("k0", "train", 0), ("k9", "val", 0),
    ("d", "train", 0), ("d", "val", 1),
    ("e", "train", 2), ("e2", "val", 2),
    ("f", "train", 2), ("g", "test", 2), ("g", "val", 2),
    ("h", "test", 0), ("h", "test", 0),
]  # fmt: skip


def picture(name: str) -> np.ndarray:
    """Noise [1, 48, 48], another for every letter."""
    if name[0] == "k":
        return np.full((1, 48, 48), int(name[1]), np.uint8)
    noise = np.random.default_rng(ord(name[0])).integers(0, 256, (1, 48, 48))
    return (noise * 0.6 + 20 if name.endswith("2") else noise).astype(np.uint8)


@pytest.fixture
def faces() -> FaceSet:
    return FaceSet(
        name="faulty",
        images=np.array([picture(name) for name, _, _ in ROWS]),
        labels=np.array([label for _, _, label in ROWS], np.int64),
        classes=("angry", "sad", "happy"),
        ids=tuple(f"{index}{name}" for index, (name, _, _) in enumerate(ROWS)),
        splits=np.array([split for _, split, _ in ROWS]),
    )


def found(result: Check) -> dict[str, list[list[int]]]:
    return {issue.kind: [group.tolist() for group in issue.groups] for issue in result.issues if issue.count}


def test_every_fault_is_found_the_worst_first(faces):
    result = check_faces(faces, CheckOptions(min_class=5))
    assert found(result) == {
        "leaks": [[0, 1], [9, 10], [14, 15]],
        "contradictions": [[2, 3, 4], [9, 10]],
        "near leaks": [[11, 12]],
        "constant": [[7], [8]],
        "copies": [[0, 1], [2, 3, 4], [5, 6], [9, 10], [14, 15], [16, 17]],
        "near": [[11, 12]],
    }
    assert list(found(result)) == [kind for kind in KINDS if kind in found(result)]
    words = {issue.kind: issue.found for issue in result.issues}
    assert words["leaks"] == "2 val faces also in train; 1 test face also in val"
    assert words["copies"] == "6 groups, 7 surplus faces"
    assert words["near leaks"] == "1 val face much like one in train"
    assert [issue.count for issue in result.issues][-2:] == [0, 0], "what was not found comes last"


def test_a_face_with_an_exact_duplicate_in_train_is_no_near_leak(faces):
    images = faces.images.copy()
    images[9] = picture("a2")
    kinds = found(check_faces(replace(faces, images=images)))
    assert kinds["near leaks"] == [[11, 12]]
    assert [0, 1, 9] in kinds["near"], "a duplicate is as near as what it duplicates"


def test_small_classes_and_what_is_left_out(faces):
    result = check_faces(faces, CheckOptions(min_class=6, near_duplicates=False))
    small = next(issue for issue in result.issues if issue.kind == "classes")
    assert (small.found, small.numbers) == ("sad 5, happy 5 (under 6)", {"sad": 5, "happy": 5})
    assert not {"near", "near leaks", "people", "no face"} & {issue.kind for issue in result.issues}


def test_people_on_both_sides_depend_on_the_split():
    kinds = {
        group: found(check_faces(cartoon(each=1), CheckOptions(group=group, near_duplicates=False)))
        for group in ("auto", "image")
    }
    assert "people" not in kinds["auto"]
    assert len(kinds["image"]["people"]) > 10


def test_faces_without_a_face(faces, monkeypatch):
    monkeypatch.setattr("fercli.workflows.check.run.find_without_face", lambda images, steps: np.array([3, 16]))
    assert found(check_faces(faces, CheckOptions(no_face=True)))["no face"] == [[3], [16]]


def test_the_detector_sees_a_framed_portrait_and_nothing_in_noise(monkeypatch):
    from matplotlib.cbook import get_sample_data

    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as portrait:
        face = np.asarray(portrait.convert("L").crop((150, 40, 380, 270)).resize((48, 48)))
    images = np.array([picture("a")[0], face, picture("k9")[0]])[:, None]
    monkeypatch.setattr(issues, "_BATCH", 2)
    heard: list[tuple[int, int, str]] = []
    assert issues.find_without_face(images, lambda *words: heard.append(words)).tolist() == [0, 2]
    assert [done for done, total, _ in heard] == [2, 3]


def test_as_json_and_csv(faces, tmp_path):
    result = check_faces(faces, CheckOptions(min_class=6))
    document = json.loads(json.dumps(result.to_dict()))
    assert document["faces"] == {"test": 3, "train": 10, "val": 5}
    assert document["faults"][0]["groups"][0] == ["0a", "1a"]
    assert document["faults"][0]["numbers"] == {"val in train": 2, "test in val": 1}
    write_csv(tmp_path / "faults.csv", result)
    with (tmp_path / "faults.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "fault": "leaks",
        "group": "1",
        "id": "0a",
        "part": "train",
        "label": "angry",
        "subject": "",
        "remark": "",
    }
    assert rows[-1] == {
        "fault": "classes",
        "group": "2",
        "id": "",
        "part": "",
        "label": "happy",
        "subject": "",
        "remark": "",
    }
    assert len(rows) == sum(len(group) for groups in found(result).values() for group in groups) + 2


def test_a_sheet_of_the_suspects_even_where_there_are_none(faces, tmp_path):
    write_suspects(tmp_path / "faulty.png", check_faces(faces))
    write_suspects(tmp_path / "clean.png", check_faces(faces.select(np.arange(len(faces)) == 0)))
    with Image.open(tmp_path / "faulty.png") as full, Image.open(tmp_path / "clean.png") as empty:
        assert full.height > 800 > empty.height


def gone(result: Check) -> dict[int, tuple[str, int | None]]:
    return {removal.face: (removal.reason, removal.of) for removal in list_removals(result)}


def test_what_is_measured_on_stays_as_published(faces):
    result = check_faces(faces)
    assert gone(result) == {
        0: ("copy", 1),
        2: ("contradiction", 3), 3: ("contradiction", 2), 4: ("contradiction", 2),
        6: ("copy", 5),
        7: ("blank", None),
        9: ("contradiction", 10),
        11: ("near duplicate", 12),
    }  # fmt: skip


def test_a_set_without_a_split_may_lose_faces_everywhere(faces, monkeypatch):
    splits = faces.splits
    monkeypatch.setattr("fercli.workflows.check.run.assign_splits", lambda *_, **__: splits)
    result = check_faces(replace(faces, splits=None))
    assert gone(result) == {
        0: ("copy", 1),
        2: ("contradiction", 3), 3: ("contradiction", 2), 4: ("contradiction", 2),
        6: ("copy", 5),
        7: ("blank", None), 8: ("blank", None),
        9: ("contradiction", 10), 10: ("contradiction", 9),
        11: ("near duplicate", 12),
        15: ("copy", 14),
        17: ("copy", 16),
    }  # fmt: skip


def test_a_fixed_set_loads_again_without_its_faults(faces, tmp_path):
    out = tmp_path / "made/clean.safetensors"
    fixed = fix(check_faces(faces, CheckOptions(seed=3)), out)
    assert fixed.removed == {"blank": 1, "contradiction": 4, "copy": 2, "near duplicate": 1}
    clean = load_faces(str(out))
    assert (clean.name, len(clean), fixed.faces) == ("clean", 10, 10)
    assert clean.ids == ("1a", "5c", "8k9", "10d", "12e2", "13f", "14g", "15g", "16h", "17h")
    assert clean.splits.tolist().count("train") == 2
    assert "8 faces" in clean.notes[-1]
    assert read_facts(out) == {
        "cleaned_from": "faulty",
        "fingerprint": faces.fingerprint,
        "seed": 3,
        "group": "auto",
        "removed": fixed.removed,
        "faces": {"val": 5, "train": 2, "test": 3},
    }
    with fixed.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert fixed.table.name == "clean.removed.csv"
    assert len(rows) == 8
    assert rows[0] == {"id": "0a", "part": "train", "label": "angry", "reason": "copy", "duplicate_of": "1a"}
    left = {"leaks": [[6, 7]], "constant": [[2]], "copies": [[6, 7], [8, 9]]}
    assert found(check_faces(clean, CheckOptions(min_class=0))) == left, "only what was published stays"


def test_a_drawn_split_goes_into_the_file(tmp_path):
    result = check_faces(cartoon(each=1), CheckOptions(seed=5))
    fix(result, tmp_path / "c.safetensors")
    clean = read_faces(tmp_path / "c.safetensors")
    splits = dict(zip(result.faces.ids, result.splits.tolist(), strict=True))
    assert clean.splits.tolist() == [splits[face] for face in clean.ids]


@pytest.mark.parametrize("data", ["fergit", "fergit.safetensors"])
def test_a_fixed_set_keeps_the_split_of_the_named_set(tmp_path, data):
    write_faces(tmp_path / "fergit.safetensors", replace(cartoon(each=2), name="fergit"))
    named = load_faces("fergit", tmp_path)
    result = check(data if data in SETS else str(tmp_path / data), tmp_path, options=CheckOptions(seed=5))
    fix(result, tmp_path / "c.safetensors")
    clean = load_faces(str(tmp_path / "c.safetensors"))
    splits = dict(zip(named.ids, assign_splits(named, 5).tolist(), strict=True))
    assert assign_splits(clean, 0).tolist() == [splits[face] for face in clean.ids]
    assert clean.fractions == (0.05, 0.05)


def test_targets_and_subjects_go_along(faces, tmp_path):
    targets = np.eye(3, dtype=np.float32)[faces.labels]
    fix(check_faces(replace(faces, targets=targets, subjects=("x",) * 18)), tmp_path / "c.safetensors")
    clean = read_faces(tmp_path / "c.safetensors")
    assert clean.subjects == ("x",) * 10
    assert clean.targets.argmax(axis=1).tolist() == clean.labels.tolist()


@pytest.mark.parametrize("there", ["c.safetensors", "c.removed.csv"])
def test_nothing_is_replaced_unasked(faces, tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(UsageError, match="--force replaces it"):
        fix(check_faces(faces), tmp_path / "c.safetensors")
    assert (tmp_path / there).read_text() == "mine"
    fix(check_faces(faces), tmp_path / "c.safetensors", force=True)
    assert len(read_faces(tmp_path / "c.safetensors")) == 10


def test_another_ending_is_refused(faces, tmp_path):
    with pytest.raises(UsageError, match=r"name it .*clean\.safetensors"):
        fix(check_faces(faces), tmp_path / "clean.csv")


@pytest.fixture(scope="module")
def real() -> Path:
    if not os.environ.get("FER_DATA"):
        pytest.skip("FER_DATA does not say where the real data are")
    return Path(os.environ["FER_DATA"])


def test_the_known_faults_of_fer2013(real):
    start = time.perf_counter()
    result = check("fer2013", real)
    assert time.perf_counter() - start < 180
    issues = {issue.kind: issue for issue in result.issues}
    assert issues["constant"].count == 12
    assert (issues["copies"].count, issues["copies"].numbers["surplus"]) == (1273, 1532)
    assert issues["leaks"].numbers["val in train"] == 280
    assert issues["contradictions"].count == 47
